package wire

import "slices"

// headerCopies maps the numbers of headers in another Kept to their numbers in this one; none if a header was not copied yet.
type headerCopies struct {
	from              *Kept
	resources, scopes []int32
}

const none = -1

// begin sets h to another Kept, unless it is already.
func (h *headerCopies) begin(from *Kept) {
	if h.from == from {
		return
	}
	*h = headerCopies{from: from, resources: h.resources[:0], scopes: h.scopes[:0]}
	for range from.Resources {
		h.resources = append(h.resources, none)
	}
	for range from.Scopes {
		h.scopes = append(h.scopes, none)
	}
}

// AddCopy copies a trace of another Kept with the additions to it. It must be arranged, and is not to be arranged again.
// Spans that the other destination has are not Sent here. It reports whether it copied the trace: not if a span was replaced
// for the sake of the other destination.
//
// The caller alone uses both Kepts meanwhile, except that other copies may be made of from. Found is not copied: it is valid
// until from is Reset.
func (k *Kept) AddCopy(from *Kept, trace int) bool {
	t := from.Traces[trace]
	spans := from.Spans[t.From:t.To]
	if slices.ContainsFunc(spans, func(s KeptSpan) bool { return s.replaced }) {
		return false
	}
	h := &k.copies
	h.begin(from)
	first := len(k.Spans)
	k.Spans = slices.Grow(k.Spans, len(spans))
	for i := range spans {
		s := &spans[i]
		if h.resources[s.Resource] == none {
			h.resources[s.Resource] = k.AddResource(from.Resources[s.Resource].Of(from.Bytes))
		}
		if h.scopes[s.Scope] == none {
			h.scopes[s.Scope] = k.AddScope(from.Scopes[s.Scope].Of(from.Bytes))
		}
		k.Spans = append(k.Spans, *s)
		c := &k.Spans[len(k.Spans)-1]
		c.Resource, c.Scope, c.Sent = h.resources[s.Resource], h.scopes[s.Scope], false
		c.Body = copyTo(&k.Bytes, s.Body.Of(from.Bytes))
		c.move(s.Body)
		if c.added = (Range{}); s.added.Len() > 0 {
			c.added = copyTo((*[]byte)(&k.added), s.added.Of(from.added))
		}
	}
	t.From, t.To = first, len(k.Spans)
	k.Traces = append(k.Traces, t)
	return true
}

// LengthOf returns the largest number of bytes that a trace takes in k: its spans, and its resources and scopes. The trace must be
// arranged.
func LengthOf(k *Kept, trace int) (length int) {
	t := k.Traces[trace]
	resource, scope := int32(none), int32(none)
	for i := t.From; i < t.To; i++ {
		s := &k.Spans[i]
		length += s.Body.Len() + s.added.Len()
		if s.Resource != resource {
			length += k.Resources[s.Resource].Len()
		}
		if s.Scope != scope {
			length += k.Scopes[s.Scope].Len()
		}
		resource, scope = s.Resource, s.Scope
	}
	return length
}

// move moves the ranges within a span whose body has moved.
func (s *KeptSpan) move(was Range) {
	for _, r := range []*Range{&s.Name, &s.TraceState} {
		if r.End != 0 {
			*r = Range{Off: r.Off - was.Off + s.Body.Off, End: r.End - was.Off + s.Body.Off}
		}
	}
	s.cuts = slices.Clone(s.cuts) // their order is the last writer's
	for i, r := range s.cuts {
		s.cuts[i] = Range{Off: r.Off - was.Off + s.Body.Off, End: r.End - was.Off + s.Body.Off}
	}
}
