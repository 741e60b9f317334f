package wire

import (
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// KeptSpan is a span in a Kept. Its Resource and Scope are indexes into Kept.Resources and Kept.Scopes; its ranges are of
// Kept.Bytes.
type KeptSpan struct {
	Span
	// Left says that the span is left out: it is a copy of another, byte by byte.
	Left bool
	// Sent says that the destination has the span already: it was in a request before this one, which it accepted.
	Sent bool
	// replaced says that the span has another body than it came with.
	replaced bool
	// cuts are fields of the body that are left out, cutBytes long together; added are fields that follow it.
	cuts     []Range // of Kept.Bytes, in no order
	cutBytes uint32
	added    Range // of Kept.added
}

// SetTraceState replaces the tracestate of a span, or removes it where state is empty.
func (k *Kept) SetTraceState(i int, state []byte) {
	s := &k.Spans[i]
	if s.TraceState.End != 0 {
		s.cut(k.Bytes, schema.SpanFieldTraceState, nil)
	}
	if len(state) > 0 {
		k.added.extend(&s.added, func(dst []byte) []byte {
			return protobuf.AppendLen(dst, schema.SpanFieldTraceState<<3|byte(protobuf.TypeLen), state)
		})
	}
}

// TraceStateOf returns the tracestate that a span of k leaves with: Span.TraceState is the one that it came with.
func TraceStateOf(k *Kept, i int) []byte {
	s := &k.Spans[i]
	added := s.added.Of(k.added)
	for pos := 0; pos < len(added); {
		f, err := schema.Span.Next(added, pos)
		if err != nil {
			break // not of what is added here
		}
		if f.Num == schema.SpanFieldTraceState {
			return added[f.Start:f.End]
		}
		pos = f.End
	}
	if slices.ContainsFunc(s.cuts, func(c Range) bool { return c.Off <= s.TraceState.Off && s.TraceState.End <= c.End }) {
		return nil
	}
	return s.TraceState.Of(k.Bytes)
}

// SetAttribute gives a span an attribute, in place of what it has under that key. Calling it twice with one key of a span
// is a mistake.
func (k *Kept) SetAttribute(i int, a Attribute) {
	s := &k.Spans[i]
	s.cut(k.Bytes, schema.SpanFieldAttributes, func(kv []byte) bool {
		key, _ := KeyValue(kv)
		return string(key) == a.Key
	})
	k.added.extend(&s.added, func(dst []byte) []byte { return a.AppendField(dst, schema.AttributeTag) })
}

// AppendBody appends the body of a span, with what was added.
func (k *Kept) AppendBody(dst []byte, i int) []byte {
	s := &k.Spans[i]
	at := s.Body.Off
	slices.SortFunc(s.cuts, func(a, b Range) int { return cmp.Compare(a.Off, b.Off) })
	for _, c := range s.cuts {
		dst = append(dst, k.Bytes[at:c.Off]...)
		at = c.End
	}
	dst = append(dst, k.Bytes[at:s.Body.End]...)
	return append(dst, s.added.Of(k.added)...)
}

// Replace gives a span another body, in place of the one that it had and what was added to that. It returns an error for what
// is no Span, and leaves the span as it was.
func (k *Kept) Replace(i int, body []byte) error {
	s := &k.Spans[i]
	next := KeptSpan{Span: s.Span, Left: s.Left, Sent: s.Sent}
	next.Body = copyTo(&k.Bytes, body)
	if err := next.parse(k.Bytes); err != nil {
		return err
	}
	next.replaced = true
	*s = next
	return nil
}

// Size is how much the span takes of a request, its resource and scope aside. It is 0 for one that is left out.
func (s *KeptSpan) Size() int {
	if s.Left {
		return 0
	}
	return protobuf.LenSize(s.BodySize())
}

// BodySize is how long the body is, with what was added.
func (s *KeptSpan) BodySize() int { return s.Body.Len() - int(s.cutBytes) + s.added.Len() }

// parse fills in what the span says of itself. Its body is in all.
func (s *KeptSpan) parse(all []byte) error {
	body := s.Body
	parsed, err := ParseSpan(body.Of(all))
	if err != nil {
		return err
	}
	parsed.Resource, parsed.Scope = s.Resource, s.Scope
	parsed.Body = body
	for _, r := range []*Range{&parsed.Name, &parsed.TraceState} {
		if r.End != 0 {
			r.Off, r.End = r.Off+body.Off, r.End+body.Off
		}
	}
	s.Span = parsed
	return nil
}

// cut leaves the fields with a number out of the span, whose body is in all: each of them, or those whose content is chosen.
func (s *KeptSpan) cut(all []byte, num int32, chosen func(content []byte) bool) {
	body := s.Body.Of(all)
	for pos := 0; pos < len(body); {
		f, err := schema.Span.Next(body, pos)
		if err != nil {
			return // not after a scan
		}
		if f.Num == num && (chosen == nil || chosen(body[f.Start:f.End])) {
			s.cuts = append(s.cuts, rangeOf(int(s.Body.Off)+pos, int(s.Body.Off)+f.End))
			s.cutBytes += uint32(f.End - pos)
		}
		pos = f.End
	}
}

// additions are what is appended to spans, in ranges.
type additions []byte

// extend adds to a range what encode appends.
func (a *additions) extend(r *Range, encode func(dst []byte) []byte) {
	if int(r.End) != len(*a) { // another range was extended since
		from := len(*a)
		*a = append(*a, r.Of(*a)...)
		*r = rangeOf(from, len(*a))
	}
	*a = encode(*a)
	r.End = uint32(len(*a))
}
