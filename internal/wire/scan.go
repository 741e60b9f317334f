package wire

import (
	"encoding/binary"
	"math"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// ScanError says why bytes are not an OTLP trace request.
type ScanError = schema.Error

// Scan makes r a view of b, an ExportTraceServiceRequest, after checking all of it. It reuses r's slices and, once
// they have grown, allocates nothing. The error is a *ScanError, and r is then empty.
func (r *Request) Scan(b []byte) error {
	r.reset()
	if uint64(len(b)) > math.MaxUint32 {
		return schema.Request.Malformed(nil, math.MaxUint32, "longer than 4 GiB - 1")
	}
	r.Bytes = b
	for pos := 0; pos < len(b); {
		f, err := schema.Request.Next(b, pos)
		if err == nil && f.Num != 0 {
			err = r.resourceSpans(b[:f.End], f.Start)
		}
		if err != nil {
			r.reset()
			return err
		}
		pos = f.End
	}
	return nil
}

// resourceSpans scans the ResourceSpans that starts at pos and ends with b.
func (r *Request) resourceSpans(b []byte, pos int) error {
	resources, scopes, spans := len(r.Resources), len(r.Scopes), len(r.Spans)
	r.Resources = append(r.Resources, Resource{Body: rangeOf(pos, len(b))})
	header, err := r.scopesOf(b, pos)
	r.Resources[resources].Header = uint32(header)
	if err != nil || !r.strict {
		return err
	}
	if r.rejected.large(header, r.maxHeader, len(r.Spans)-spans) {
		r.Scopes, r.Spans = r.Scopes[:scopes], r.Spans[:spans]
	}
	if len(r.Spans) == spans {
		r.Resources = r.Resources[:resources]
	}
	return nil
}

// scopesOf scans the fields of a ResourceSpans, and returns the length of its header.
func (r *Request) scopesOf(b []byte, pos int) (header int, err error) {
	current, deprecated := false, -1
	for pos < len(b) {
		f, err := schema.ResourceSpans.Next(b, pos)
		if err != nil {
			return 0, err
		}
		switch f.Num {
		case schema.ResourceSpansFieldScopeSpans:
			current = true
			err = r.scopeSpans(b[:f.End], f.Start)
		case schema.ResourceSpansFieldDeprecatedScopeSpans:
			if deprecated < 0 {
				deprecated = pos
			}
			_, err = schema.ScopeSpans.Check(b[:f.End], f.Start, 0)
		case schema.ResourceSpansFieldResource:
			_, err = schema.Resource.Check(b[:f.End], f.Start, 0)
			header += f.End - pos
		default:
			header += f.End - pos
		}
		if err != nil {
			return 0, err
		}
		pos = f.End
	}
	if deprecated < 0 || current {
		return header, nil
	}
	for pos := deprecated; pos < len(b); {
		f, err := schema.ResourceSpans.Next(b, pos)
		if err == nil && f.Num == schema.ResourceSpansFieldDeprecatedScopeSpans {
			err = r.scopeSpans(b[:f.End], f.Start)
		}
		if err != nil {
			return 0, err
		}
		pos = f.End
	}
	return header, nil
}

// scopeSpans scans the ScopeSpans that starts at pos and ends with b.
func (r *Request) scopeSpans(b []byte, pos int) error {
	before, header := len(r.Spans), 0
	r.Scopes = append(r.Scopes, Scope{Body: rangeOf(pos, len(b)), Resource: int32(len(r.Resources) - 1)})
	for pos < len(b) {
		f, err := schema.ScopeSpans.Next(b, pos)
		if err != nil {
			return err
		}
		switch f.Num {
		case schema.ScopeSpansFieldSpans:
			s := r.newSpan()
			s.Resource, s.Scope = int32(len(r.Resources)-1), int32(len(r.Scopes)-1)
			if err = s.scan(b[:f.End], f.Start); r.strict && (s.TraceID.IsZero() || s.ID.IsZero()) {
				r.Spans = r.Spans[:len(r.Spans)-1]
				r.rejected.InvalidIDs++
			}
		case schema.ScopeSpansFieldScope:
			_, err = schema.Scope.Check(b[:f.End], f.Start, 0)
			header += f.End - pos
		default:
			header += f.End - pos
		}
		if err != nil {
			return err
		}
		pos = f.End
	}
	r.Scopes[len(r.Scopes)-1].Header = uint32(header)
	if !r.strict {
		return nil
	}
	if r.rejected.large(header, r.maxHeader, len(r.Spans)-before) {
		r.Spans = r.Spans[:before]
	}
	if len(r.Spans) == before {
		r.Scopes = r.Scopes[:len(r.Scopes)-1]
	}
	return nil
}

// newSpan appends an empty span. If there is room, it is cleared in place: copying an empty one takes twice as long.
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
		return s, schema.Span.Malformed(nil, math.MaxUint32, "longer than 4 GiB - 1")
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
		f, err := schema.Span.Next(b, pos)
		if err != nil {
			return err
		}
		pos = f.End
		switch f.Num {
		case 0:
			s.Unknown = true
		case schema.SpanFieldTraceID:
			s.TraceID = TraceID{}
			copy(s.TraceID[:], b[f.Start:f.End])
		case schema.SpanFieldID:
			s.ID = SpanID{}
			copy(s.ID[:], b[f.Start:f.End])
		case schema.SpanFieldTraceState:
			s.TraceState = rangeOf(f.Start, f.End)
		case schema.SpanFieldParentID:
			s.ParentID = SpanID{}
			copy(s.ParentID[:], b[f.Start:f.End])
		case schema.SpanFieldName:
			s.Name = rangeOf(f.Start, f.End)
		case schema.SpanFieldKind:
			s.Kind = int32(f.Value)
		case schema.SpanFieldStart:
			s.Start = f.Value
		case schema.SpanFieldEnd:
			s.End = f.Value
		case schema.SpanFieldAttributes:
			if schema.PlainAttribute(b[f.Start:f.End]) {
				continue
			}
			if err := s.check(&schema.KeyValue, b[:f.End], f.Start); err != nil {
				return err
			}
		case schema.SpanFieldEvents:
			if err := s.check(&schema.Event, b[:f.End], f.Start); err != nil {
				return err
			}
		case schema.SpanFieldLinks:
			s.Linked = true
			if err := s.check(&schema.Link, b[:f.End], f.Start); err != nil {
				return err
			}
		case schema.SpanFieldStatus:
			if err := s.scanStatus(b[:f.End], f.Start); err != nil {
				return err
			}
		case schema.SpanFieldFlags:
			s.Flags = uint32(f.Value)
		}
	}
	return nil
}

// plain reads the field at pos if it is one that nearly every span has, with a tag, a length and a number of one byte. It
// returns the position of the next field, 0 for another or malformed field. It is the fast path before Next.
func (s *Span) plain(b []byte, pos int) int {
	const (
		traceID, spanID, parentID = schema.SpanFieldTraceID<<3 | byte(protobuf.TypeLen), schema.SpanFieldID<<3 | byte(protobuf.TypeLen), schema.SpanFieldParentID<<3 | byte(protobuf.TypeLen)
		start, end                = schema.SpanFieldStart<<3 | byte(protobuf.TypeFixed64), schema.SpanFieldEnd<<3 | byte(protobuf.TypeFixed64)
		attribute                 = schema.AttributeTag
		name, kind                = schema.SpanFieldName<<3 | byte(protobuf.TypeLen), schema.SpanFieldKind<<3 | byte(protobuf.TypeVarint)
	)
	f := b[pos:]
	switch f[0] {
	case attribute:
		if len(f) < 2 || f[1] >= 0x80 {
			return 0
		}
		if n := 2 + int(f[1]); n <= len(f) && schema.PlainAttribute(f[2:n]) {
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

func (s *Span) check(m *schema.Message, b []byte, pos int) error {
	unknown, err := m.Check(b, pos, 0)
	s.Unknown = s.Unknown || unknown
	return err
}

func (s *Span) scanStatus(b []byte, pos int) error {
	for pos < len(b) {
		f, err := schema.Status.Next(b, pos)
		if err != nil {
			return err
		}
		switch f.Num {
		case 0:
			s.Unknown = true
		case schema.StatusFieldCode:
			s.Status = int32(f.Value)
		}
		pos = f.End
	}
	return nil
}
