package divide

import (
	"sort"

	"github.com/slowburn/slowburn/internal/wire"
)

// Requests divides a Kept into requests (AppendRequest) that are at most Limit bytes long. Traces stay whole where one fits; a
// span that does not is trimmed. Spans that were sent, or are left out, are passed over. It is for one goroutine.
type Requests struct {
	Kept *wire.Kept
	// Limit may change between requests.
	Limit int
	// Key is that of the attribute which says how many bytes were cut from a span; see TrimSpan.
	Key string
	// Trimmed is how many spans were.
	Trimmed int

	next int // span
}

// Next returns a request's spans from, up to but without to; false if there are no more. The spans that are not Sent when it is
// called again are passed over: Again begins with them once more.
func (r *Requests) Next() (from, to int, ok bool) {
	spans := r.Kept.Spans
	for r.next < len(spans) && (spans[r.next].Left || spans[r.next].Sent) {
		r.next++
	}
	if r.next == len(spans) {
		return 0, 0, false
	}
	from = r.next
	r.next = r.end(from)
	return from, r.next, true
}

// Again begins with the first span once more.
func (r *Requests) Again() { r.next = 0 }

// end returns where a request ends that begins with a span.
func (r *Requests) end(from int) int {
	k := r.Kept
	trace := sort.Search(len(k.Traces), func(n int) bool { return k.Traces[n].To > from })
	whole := from // where the last trace ends that fits
	resource, scope := int32(-1), int32(-1)
	size := 0
	for i := from; i < len(k.Spans); i++ {
		s := &k.Spans[i]
		if s.Sent {
			return i
		}
		for i >= k.Traces[trace].To {
			trace++
			whole, resource = i, -1
		}
		if s.Left {
			continue
		}
		if s.Resource != resource {
			size += headSize + k.Resources[s.Resource].Len()
			scope = -1
		}
		if s.Scope != scope {
			size += 2*headSize + k.Scopes[s.Scope].Len() + marksSize(k.Traces[trace].Marks)
		}
		resource, scope = s.Resource, s.Scope
		if size += s.Size(); size <= r.Limit {
			continue
		}
		switch {
		case whole > from:
			return whole
		case i > from:
			return i
		}
		r.trim(i, trace)
		return i + 1
	}
	return len(k.Spans)
}

// headSize is what a tag and a length take at most.
const headSize = 1 + 5

// trim makes a span fit into a request of its own.
func (r *Requests) trim(i, trace int) {
	k := r.Kept
	headers := func() int {
		return 4*headSize + k.Resources[k.Spans[i].Resource].Len() + k.Scopes[k.Spans[i].Scope].Len() + marksSize(k.Traces[trace].Marks)
	}
	cut := 0
	if headers() > r.Limit/2 {
		cut = TrimHeaders(k, i, r.Limit/4, r.Key)
	}
	cut += TrimSpan(k, i, r.Limit-headers(), r.Key)
	if cut > 0 {
		r.Trimmed++
	}
}

// marksSize is what marks add to a scope.
func marksSize(marks []wire.Attribute) (size int) {
	for _, m := range marks {
		size += m.Size()
	}
	return size
}
