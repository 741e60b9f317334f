package wire

import "iter"

// Links iterates over the trace IDs that a span links to, in their order, those that are missing or zero left out. span
// is the body of a Span.
func Links(span []byte) iter.Seq[TraceID] {
	return func(yield func(TraceID) bool) {
		for pos := 0; pos < len(span); {
			f, err := spanMessage.next(span, pos)
			if err != nil {
				return
			}
			if f.num == 13 {
				if id := linkTrace(span[f.start:f.end]); !id.IsZero() && !yield(id) {
					return
				}
			}
			pos = f.end
		}
	}
}

// linkTrace returns the trace ID in a Span.Link.
func linkTrace(link []byte) (id TraceID) {
	for pos := 0; pos < len(link); {
		f, err := linkMessage.next(link, pos)
		if err != nil {
			break
		}
		if f.num == 1 {
			id = TraceID{}
			copy(id[:], link[f.start:f.end])
		}
		pos = f.end
	}
	return id
}
