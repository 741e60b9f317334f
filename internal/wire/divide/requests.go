package divide

import (
	"sort"

	"github.com/slowburn/slowburn/internal/wire"
)

// Requests divides a Kept into requests (AppendRequest) of at most Limit bytes. It keeps traces whole that fit into one, and
// trims a span that does not. It skips spans that were sent or are left out. It is for one goroutine.
type Requests struct {
	Kept *wire.Kept
	// Limit may change between requests.
	Limit int
	// Key is the attribute for the number of bytes cut from a span; see TrimSpan.
	Key string
	// Trimmed is the number of trimmed spans.
	Trimmed int

	next int // index of the next span
}

// Next returns the range of spans of a request: from, up to but not including, to. It returns false if there are no more. Spans
// of earlier requests that are not Sent are skipped: Again starts over with them.
func (r *Requests) Next() (from, to int, ok bool) {
	spans := r.Kept.Spans
	for r.next < len(spans) && (spans[r.next].Omitted || spans[r.next].Sent) {
		r.next++
	}
	if r.next == len(spans) {
		return 0, 0, false
	}
	from = r.next
	r.next = r.end(from)
	return from, r.next, true
}

// Again starts over with the first span.
func (r *Requests) Again() { r.next = 0 }

// end returns the end of the request that begins with a span.
func (r *Requests) end(from int) int {
	k := r.Kept
	trace := sort.Search(len(k.Traces), func(n int) bool { return k.Traces[n].To > from })
	whole := from // end of the last trace that fits
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
		if s.Omitted {
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

// headSize is the largest size of a tag and a length.
const headSize = 1 + 5

// trim trims a span to fit into a request of its own.
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

// marksSize returns the size that marks add to a scope.
func marksSize(marks []wire.Attribute) (size int) {
	for _, m := range marks {
		size += m.Size()
	}
	return size
}
