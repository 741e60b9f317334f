package wire

import (
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// KeptSpan is a span in a Kept. Resource and Scope are indexes into Kept.Resources and Kept.Scopes; its ranges are of
// Kept.Bytes.
type KeptSpan struct {
	Span
	// Omitted reports whether the span is left out, as a copy of another, byte by byte.
	Omitted bool
	// Sent reports whether the destination has the span already, from an earlier request that it accepted.
	Sent bool
	// replaced reports whether the body was replaced.
	replaced bool
	// cuts are fields of the body that are left out, cutBytes long together; added are fields that follow it.
	cuts     []Range // of Kept.Bytes, in no order
	cutBytes uint32
	added    Range // of Kept.added
}

// SetTraceState replaces the tracestate of a span, or removes it if state is empty.
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

// TraceStateOf returns the tracestate that a span of k will be sent with; Span.TraceState is the one that it came
// with.
func TraceStateOf(k *Kept, i int) []byte {
	s := &k.Spans[i]
	added := s.added.Of(k.added)
	for pos := 0; pos < len(added); {
		f, err := schema.Span.Next(added, pos)
		if err != nil {
			break // cannot happen with additions
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

// SetAttribute sets an attribute of a span, replacing any with its key. It must not be called twice with one key of a
// span.
func (k *Kept) SetAttribute(i int, a Attribute) {
	s := &k.Spans[i]
	s.cut(k.Bytes, schema.SpanFieldAttributes, func(kv []byte) bool {
		key, _ := KeyValue(kv)
		return string(key) == a.Key
	})
	k.added.extend(&s.added, func(dst []byte) []byte { return a.AppendField(dst, schema.AttributeTag) })
}

// AppendBody appends the body of a span with its additions.
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

// Replace replaces the body of a span and its additions. For a body that is not a Span it returns an error and leaves the
// span unchanged.
func (k *Kept) Replace(i int, body []byte) error {
	s := &k.Spans[i]
	next := KeptSpan{Span: s.Span, Omitted: s.Omitted, Sent: s.Sent}
	next.Body = copyTo(&k.Bytes, body)
	if err := next.parse(k.Bytes); err != nil {
		return err
	}
	next.replaced = true
	*s = next
	return nil
}

// Size returns the span's size in a request, without its resource and scope. It is 0 for a span that is left
// out.
func (s *KeptSpan) Size() int {
	if s.Omitted {
		return 0
	}
	return protobuf.LenSize(s.BodySize())
}

// BodySize returns the length of the body with its additions.
func (s *KeptSpan) BodySize() int { return s.Body.Len() - int(s.cutBytes) + s.added.Len() }

// parse sets the fields of the Span from its body, which is in all.
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

// cut removes the fields with a number from the span, whose body is in all: each of them, or those whose content is chosen.
func (s *KeptSpan) cut(all []byte, num int32, chosen func(content []byte) bool) {
	body := s.Body.Of(all)
	for pos := 0; pos < len(body); {
		f, err := schema.Span.Next(body, pos)
		if err != nil {
			return // cannot happen after a scan
		}
		if f.Num == num && (chosen == nil || chosen(body[f.Start:f.End])) {
			s.cuts = append(s.cuts, rangeOf(int(s.Body.Off)+pos, int(s.Body.Off)+f.End))
			s.cutBytes += uint32(f.End - pos)
		}
		pos = f.End
	}
}

// additions are the fields appended to spans, in ranges.
type additions []byte

// extend appends the result of encode to a range.
func (a *additions) extend(r *Range, encode func(dst []byte) []byte) {
	if int(r.End) != len(*a) { // another range was extended since, so it moves to the end
		from := len(*a)
		*a = append(*a, r.Of(*a)...)
		*r = rangeOf(from, len(*a))
	}
	*a = encode(*a)
	r.End = uint32(len(*a))
}
