package wire

import (
	"encoding/binary"
	"math"
)

// Scan makes r a view over b, an ExportTraceServiceRequest, after checking all of it. It reuses r's slices and, once
// they have grown, allocates nothing. The error is a *ScanError, and r is then empty.
func (r *Request) Scan(b []byte) error {
	r.reset()
	if uint64(len(b)) > math.MaxUint32 {
		return requestMessage.malformed(nil, math.MaxUint32, "longer than 4 GiB - 1")
	}
	r.Bytes = b
	for pos := 0; pos < len(b); {
		f, err := requestMessage.next(b, pos)
		if err == nil && f.num != 0 {
			err = r.resourceSpans(b[:f.end], f.start)
		}
		if err != nil {
			r.reset()
			return err
		}
		pos = f.end
	}
	return nil
}

// resourceSpans scans the ResourceSpans that starts at pos and ends with b.
func (r *Request) resourceSpans(b []byte, pos int) error {
	r.Resources = append(r.Resources, Resource{Body: rangeOf(pos, len(b))})
	scopes := len(r.Scopes)
	deprecated := -1
	for pos < len(b) {
		f, err := resourceSpansMessage.next(b, pos)
		if err != nil {
			return err
		}
		switch f.num {
		case resourceSpansFieldResource:
			_, err = resourceMessage.check(b[:f.end], f.start, 0)
		case resourceSpansFieldScopeSpans:
			err = r.scopeSpans(b[:f.end], f.start)
		case resourceSpansFieldDeprecatedScopeSpans:
			if deprecated < 0 {
				deprecated = pos
			}
			_, err = scopeSpansMessage.check(b[:f.end], f.start, 0)
		}
		if err != nil {
			return err
		}
		pos = f.end
	}
	if deprecated < 0 || len(r.Scopes) > scopes {
		return nil
	}
	for pos := deprecated; pos < len(b); {
		f, err := resourceSpansMessage.next(b, pos)
		if err == nil && f.num == resourceSpansFieldDeprecatedScopeSpans {
			err = r.scopeSpans(b[:f.end], f.start)
		}
		if err != nil {
			return err
		}
		pos = f.end
	}
	return nil
}

// scopeSpans scans the ScopeSpans that starts at pos and ends with b.
func (r *Request) scopeSpans(b []byte, pos int) error {
	r.Scopes = append(r.Scopes, Scope{Body: rangeOf(pos, len(b)), Resource: int32(len(r.Resources) - 1)})
	for pos < len(b) {
		f, err := scopeSpansMessage.next(b, pos)
		if err != nil {
			return err
		}
		switch f.num {
		case scopeSpansFieldScope:
			_, err = scopeMessage.check(b[:f.end], f.start, 0)
		case scopeSpansFieldSpans:
			s := r.newSpan()
			s.Resource, s.Scope = int32(len(r.Resources)-1), int32(len(r.Scopes)-1)
			err = s.scan(b[:f.end], f.start)
		}
		if err != nil {
			return err
		}
		pos = f.end
	}
	return nil
}

// newSpan appends an empty span. Where there is room it is cleared in place: a copy of an empty one costs twice that.
func (r *Request) newSpan() *Span {
	n := len(r.Spans)
	if n == cap(r.Spans) {
		r.Spans = append(r.Spans, Span{})
	} else {
		r.Spans = r.Spans[:n+1]
		r.Spans[n] = Span{}
	}
	return &r.Spans[n]
}

// ParseSpan scans one Span message. Its ranges are parts of body.
func ParseSpan(body []byte) (Span, error) {
	s := Span{Resource: -1, Scope: -1}
	if uint64(len(body)) > math.MaxUint32 {
		return s, spanMessage.malformed(nil, math.MaxUint32, "longer than 4 GiB - 1")
	}
	err := s.scan(body, 0)
	return s, err
}

// scan fills s from the Span that starts at pos and ends with b.
func (s *Span) scan(b []byte, pos int) error {
	s.Body = rangeOf(pos, len(b))
	for pos < len(b) {
		if end := s.plain(b, pos); end != 0 {
			pos = end
			continue
		}
		f, err := spanMessage.next(b, pos)
		if err != nil {
			return err
		}
		pos = f.end
		switch f.num {
		case 0:
			s.Unknown = true
		case spanFieldTraceID:
			s.TraceID = TraceID{}
			copy(s.TraceID[:], b[f.start:f.end])
		case spanFieldID:
			s.ID = SpanID{}
			copy(s.ID[:], b[f.start:f.end])
		case spanFieldTraceState:
			s.TraceState = rangeOf(f.start, f.end)
		case spanFieldParentID:
			s.ParentID = SpanID{}
			copy(s.ParentID[:], b[f.start:f.end])
		case spanFieldName:
			s.Name = rangeOf(f.start, f.end)
		case spanFieldKind:
			s.Kind = int32(f.value)
		case spanFieldStart:
			s.Start = f.value
		case spanFieldEnd:
			s.End = f.value
		case spanFieldAttributes:
			if plainAttribute(b[f.start:f.end]) {
				continue
			}
			if err := s.check(&keyValueMessage, b[:f.end], f.start); err != nil {
				return err
			}
		case spanFieldEvents:
			if err := s.check(&eventMessage, b[:f.end], f.start); err != nil {
				return err
			}
		case spanFieldLinks:
			s.Linked = true
			if err := s.check(&linkMessage, b[:f.end], f.start); err != nil {
				return err
			}
		case spanFieldStatus:
			if err := s.scanStatus(b[:f.end], f.start); err != nil {
				return err
			}
		case spanFieldFlags:
			s.Flags = uint32(f.value)
		}
	}
	return nil
}

// plain reads the field at pos if it is one of those that nearly every span has, with a tag, a length and a number of one
// byte. It returns where the next begins, 0 if it is another or malformed. It is the short way past next.
func (s *Span) plain(b []byte, pos int) int {
	const (
		traceID, spanID, parentID = spanFieldTraceID<<3 | byte(typeLen), spanFieldID<<3 | byte(typeLen), spanFieldParentID<<3 | byte(typeLen)
		start, end                = spanFieldStart<<3 | byte(typeFixed64), spanFieldEnd<<3 | byte(typeFixed64)
		attribute                 = attributeTag
		name, kind                = spanFieldName<<3 | byte(typeLen), spanFieldKind<<3 | byte(typeVarint)
	)
	f := b[pos:]
	switch f[0] {
	case attribute:
		if len(f) < 2 || f[1] >= 0x80 {
			return 0
		}
		if n := 2 + int(f[1]); n <= len(f) && plainAttribute(f[2:n]) {
			return pos + n
		}
	case start:
		if len(f) >= 9 {
			s.Start = binary.LittleEndian.Uint64(f[1:])
			return pos + 9
		}
	case end:
		if len(f) >= 9 {
			s.End = binary.LittleEndian.Uint64(f[1:])
			return pos + 9
		}
	case traceID:
		if len(f) >= 2+len(s.TraceID) && int(f[1]) == len(s.TraceID) {
			s.TraceID = TraceID(f[2:])
			return pos + 2 + len(s.TraceID)
		}
	case spanID:
		if len(f) >= 2+len(s.ID) && int(f[1]) == len(s.ID) {
			s.ID = SpanID(f[2:])
			return pos + 2 + len(s.ID)
		}
	case parentID:
		if len(f) >= 2+len(s.ParentID) && int(f[1]) == len(s.ParentID) {
			s.ParentID = SpanID(f[2:])
			return pos + 2 + len(s.ParentID)
		}
	case name:
		if len(f) >= 2 && f[1] < 0x80 && 2+int(f[1]) <= len(f) {
			s.Name = rangeOf(pos+2, pos+2+int(f[1]))
			return int(s.Name.End)
		}
	case kind:
		if len(f) >= 2 && f[1] < 0x80 {
			s.Kind = int32(f[1])
			return pos + 2
		}
	}
	return 0
}

func (s *Span) check(m *message, b []byte, pos int) error {
	unknown, err := m.check(b, pos, 0)
	s.Unknown = s.Unknown || unknown
	return err
}

func (s *Span) scanStatus(b []byte, pos int) error {
	for pos < len(b) {
		f, err := statusMessage.next(b, pos)
		if err != nil {
			return err
		}
		switch f.num {
		case 0:
			s.Unknown = true
		case statusFieldCode:
			s.Status = int32(f.value)
		}
		pos = f.end
	}
	return nil
}

func rangeOf(start, end int) Range { return Range{Off: uint32(start), End: uint32(end)} }
