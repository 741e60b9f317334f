package policy

import (
	"iter"
	"maps"
	mathbits "math/bits"
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
)

// SpanView is a span where its bytes are.
type SpanView struct {
	Span *wire.Span
	// Bytes are those that the ranges of Span are of: of the request, or Body if Span was made by wire.ParseSpan.
	Bytes []byte
	// Body is the Span message.
	Body []byte
	// Resource is the body of the ResourceSpans that the span is in, and Scope of the ScopeSpans, or their headers.
	Resource, Scope []byte
	// ResourceKnown says that the caller ORs in what ResourceBits finds of the resource.
	ResourceKnown bool
}

// Name is the span's name.
func (v *SpanView) Name() []byte { return v.Span.Name.Of(v.Bytes) }

// TraceState is the span's W3C trace state.
func (v *SpanView) TraceState() []byte { return v.Span.TraceState.Of(v.Bytes) }

// Observe looks at one span of a trace for what policies want to know and sets the bits of what it found. What is
// answered already is not looked for again.
func (s *Set) Observe(bits []uint64, v *SpanView) {
	if code := v.Span.Status; code >= 0 && code < statusCodes && s.status[code] != unasked {
		set(bits, s.status[code])
	}
	for i := range s.attributes {
		a := &s.attributes[i]
		switch open := a.open(bits); {
		case open == 0:
		case mathbits.OnesCount64(open) <= fewKeys:
			a.find(bits, open, v.Body)
		default:
			a.walk(bits, open, wire.SpanAttributes(v.Body))
		}
	}
	for i := range s.questions {
		if q := &s.questions[i]; !isSet(bits, q.bit) && q.predicate.holds(v) {
			set(bits, q.bit)
		}
	}
	for _, o := range s.observers {
		o.observe(bits, v)
	}
	if !v.ResourceKnown {
		s.ResourceBits(v.Resource, bits)
	}
}

// spanPredicate is a question about a span as a whole.
type spanPredicate interface{ holds(v *SpanView) bool }

// spanQuestion has a bit, which is set once its predicate held for a span.
type spanQuestion struct {
	bit       int
	predicate spanPredicate
}

// observer looks at each span of a trace for what a bit cannot hold. It may write to the words that it got from
// compiler.word, so that the order of spans, and seeing one twice, does not matter.
type observer interface {
	observe(words []uint64, v *SpanView)
}

// ResourceBits sets the bits of what policies want to know of a resource. resource is the body of a ResourceSpans or its
// header.
func (s *Set) ResourceBits(resource []byte, bits []uint64) {
	for i := range s.attributes {
		a := &s.attributes[i]
		if open := a.open(bits); open != 0 {
			a.walk(bits, open, wire.ResourceAttributes(resource))
		}
	}
}

// attributes are up to 64 keys, looked for in one walk.
type attributes struct {
	list  []*attribute
	byKey map[string]int
	// lengths has a bit for each length of a key, from 63 on the same: most attributes can be told by their length not to
	// be wanted.
	lengths uint64
}

// group makes groups of the keys, in their order.
func group(keys map[string]*attribute) (groups []attributes) {
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(keys)), 64) {
		a := attributes{byKey: map[string]int{}}
		for i, key := range chunk {
			a.list = append(a.list, keys[key])
			a.byKey[key] = i
			a.lengths |= lengthBit(len(key))
		}
		groups = append(groups, a)
	}
	return groups
}

func lengthBit(n int) uint64 { return 1 << min(n, 63) }

// open returns a bit for each key that has an unanswered question.
func (a *attributes) open(bits []uint64) (open uint64) {
	for i, at := range a.list {
		for _, q := range at.questions {
			if !isSet(bits, q.bit) {
				open |= 1 << i
				break
			}
		}
	}
	return open
}

// fewKeys is up to how many keys of a span are found sooner one by one than in one walk: passing over an attribute
// costs 8 ns, reading it for a walk 20.
const fewKeys = 2

// find looks for each of the open keys in a span by itself.
func (a *attributes) find(bits []uint64, open uint64, span []byte) {
	for ; open != 0; open &= open - 1 {
		at := a.list[mathbits.TrailingZeros64(open)]
		if v, ok := wire.SpanAttribute(span, at.key); ok {
			at.answer(bits, v)
		}
	}
}

// walk looks for the open keys in one walk over all attributes.
func (a *attributes) walk(bits []uint64, open uint64, attributes iter.Seq2[[]byte, wire.Value]) {
	for key, v := range attributes {
		if a.lengths&lengthBit(len(key)) == 0 {
			continue
		}
		i, wanted := a.byKey[string(key)]
		if !wanted || open&(1<<i) == 0 {
			continue
		}
		a.list[i].answer(bits, v)
		if open &^= 1 << i; open == 0 { // the first occurrence counts
			return
		}
	}
}

// answer asks of a value what is not answered yet.
func (at *attribute) answer(bits []uint64, v wire.Value) {
	for _, q := range at.questions {
		if !isSet(bits, q.bit) && q.predicate.holds(v) {
			set(bits, q.bit)
		}
	}
}
