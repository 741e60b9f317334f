package wire

import (
	"encoding/binary"
	"fmt"
)

// message is what this version knows of a protobuf message: its fields by number.
type message struct {
	name   string
	fields [17]fieldType
}

// fieldType is what this version knows of a field; name is empty for one that it does not know.
type fieldType struct {
	name string
	typ  wireType
	size int8     // of an ID in bytes; it may also be empty
	msg  *message // of a submessage
}

// deprecatedScopeSpans is the number of a field of ResourceSpans that old exporters wrote in place of scope_spans.
const deprecatedScopeSpans = 1000

// Messages of OTLP 1.x, with the fields that pdata knows.
var (
	requestMessage = message{name: "ExportTraceServiceRequest", fields: [17]fieldType{
		1: {name: "resource_spans", typ: typeLen, msg: &resourceSpansMessage},
	}}
	resourceSpansMessage = message{name: "ResourceSpans", fields: [17]fieldType{
		1: {name: "resource", typ: typeLen, msg: &resourceMessage},
		2: {name: "scope_spans", typ: typeLen, msg: &scopeSpansMessage},
		3: {name: "schema_url", typ: typeLen},
	}}
	deprecatedScopeSpansField = fieldType{name: "deprecated_scope_spans", typ: typeLen, msg: &scopeSpansMessage}

	scopeSpansMessage = message{name: "ScopeSpans", fields: [17]fieldType{
		1: {name: "scope", typ: typeLen, msg: &scopeMessage},
		2: {name: "spans", typ: typeLen, msg: &spanMessage},
		3: {name: "schema_url", typ: typeLen},
	}}
	resourceMessage = message{name: "Resource", fields: [17]fieldType{
		1: {name: "attributes", typ: typeLen, msg: &keyValueMessage},
		2: {name: "dropped_attributes_count", typ: typeVarint},
		3: {name: "entity_refs", typ: typeLen, msg: &entityRefMessage},
	}}
	entityRefMessage = message{name: "EntityRef", fields: [17]fieldType{
		1: {name: "schema_url", typ: typeLen},
		2: {name: "type", typ: typeLen},
		3: {name: "id_keys", typ: typeLen},
		4: {name: "description_keys", typ: typeLen},
	}}
	scopeMessage = message{name: "InstrumentationScope", fields: [17]fieldType{
		1: {name: "name", typ: typeLen},
		2: {name: "version", typ: typeLen},
		3: {name: "attributes", typ: typeLen, msg: &keyValueMessage},
		4: {name: "dropped_attributes_count", typ: typeVarint},
	}}
	spanMessage = message{name: "Span", fields: [17]fieldType{
		1:  {name: "trace_id", typ: typeLen, size: 16},
		2:  {name: "span_id", typ: typeLen, size: 8},
		3:  {name: "trace_state", typ: typeLen},
		4:  {name: "parent_span_id", typ: typeLen, size: 8},
		5:  {name: "name", typ: typeLen},
		6:  {name: "kind", typ: typeVarint},
		7:  {name: "start_time_unix_nano", typ: typeFixed64},
		8:  {name: "end_time_unix_nano", typ: typeFixed64},
		9:  {name: "attributes", typ: typeLen, msg: &keyValueMessage},
		10: {name: "dropped_attributes_count", typ: typeVarint},
		11: {name: "events", typ: typeLen, msg: &eventMessage},
		12: {name: "dropped_events_count", typ: typeVarint},
		13: {name: "links", typ: typeLen, msg: &linkMessage},
		14: {name: "dropped_links_count", typ: typeVarint},
		15: {name: "status", typ: typeLen, msg: &statusMessage},
		16: {name: "flags", typ: typeFixed32},
	}}
	eventMessage = message{name: "Span.Event", fields: [17]fieldType{
		1: {name: "time_unix_nano", typ: typeFixed64},
		2: {name: "name", typ: typeLen},
		3: {name: "attributes", typ: typeLen, msg: &keyValueMessage},
		4: {name: "dropped_attributes_count", typ: typeVarint},
	}}
	linkMessage = message{name: "Span.Link", fields: [17]fieldType{
		1: {name: "trace_id", typ: typeLen, size: 16},
		2: {name: "span_id", typ: typeLen, size: 8},
		3: {name: "trace_state", typ: typeLen},
		4: {name: "attributes", typ: typeLen, msg: &keyValueMessage},
		5: {name: "dropped_attributes_count", typ: typeVarint},
		6: {name: "flags", typ: typeFixed32},
	}}
	statusMessage = message{name: "Status", fields: [17]fieldType{
		2: {name: "message", typ: typeLen},
		3: {name: "code", typ: typeVarint},
	}}
	keyValueMessage = message{name: "KeyValue", fields: [17]fieldType{
		1: {name: "key", typ: typeLen},
		2: {name: "value", typ: typeLen}, // AnyValue; see init
		3: {name: "key_strindex", typ: typeVarint},
	}}
	anyValueMessage = message{name: "AnyValue", fields: [17]fieldType{
		1: {name: "string_value", typ: typeLen},
		2: {name: "bool_value", typ: typeVarint},
		3: {name: "int_value", typ: typeVarint},
		4: {name: "double_value", typ: typeFixed64},
		5: {name: "array_value", typ: typeLen, msg: &arrayValueMessage},
		6: {name: "kvlist_value", typ: typeLen, msg: &keyValueListMessage},
		7: {name: "bytes_value", typ: typeLen},
		8: {name: "string_value_strindex", typ: typeVarint},
	}}
	arrayValueMessage   = message{name: "ArrayValue", fields: [17]fieldType{1: {name: "values", typ: typeLen}}}
	keyValueListMessage = message{name: "KeyValueList", fields: [17]fieldType{1: {name: "values", typ: typeLen, msg: &keyValueMessage}}}
)

// init closes the circles: a value may hold values.
func init() {
	keyValueMessage.fields[2].msg = &anyValueMessage
	arrayValueMessage.fields[1].msg = &anyValueMessage
}

// field is one field as read from the bytes.
type field struct {
	num        int32  // 0 if the message has no such field
	start, end int    // of the content; end is where the next field begins
	value      uint64 // of a varint, fixed64 or fixed32
}

// next reads the field at pos of the message that ends with b. It does not look into submessages.
func (m *message) next(b []byte, pos int) (field, error) {
	num, typ, start := tag(b, pos)
	if start < 0 {
		return field{}, m.malformed(nil, pos, reason(start))
	}
	t := &m.fields[0]
	if int(num) < len(m.fields) {
		t = &m.fields[num]
	} else if num == deprecatedScopeSpans && m == &resourceSpansMessage {
		t = &deprecatedScopeSpansField
	}
	if t.name == "" {
		end := skip(b, start, typ)
		if end < 0 {
			return field{}, m.malformed(nil, pos, fmt.Sprintf("unknown field %d: %s", num, reason(end)))
		}
		return field{start: start, end: end}, nil
	}
	if typ != t.typ {
		return field{}, m.malformed(t, pos, fmt.Sprintf("wire type is %d, want %d", typ, t.typ))
	}
	f := field{num: num, start: start}
	switch typ {
	case typeLen:
		f.start, f.end = length(b, start)
		if f.start < 0 {
			return field{}, m.malformed(t, pos, reason(f.start))
		}
		if t.size != 0 && f.end != f.start && f.end != f.start+int(t.size) {
			return field{}, m.malformed(t, pos, fmt.Sprintf("is %d bytes long, want %d or none", f.end-f.start, t.size))
		}
		return f, nil
	case typeVarint:
		f.value, f.end = varint(b, start)
	case typeFixed64:
		if f.end = within(b, start+8); f.end > 0 {
			f.value = binary.LittleEndian.Uint64(b[start:])
		}
	default:
		if f.end = within(b, start+4); f.end > 0 {
			f.value = uint64(binary.LittleEndian.Uint32(b[start:]))
		}
	}
	if f.end < 0 {
		return field{}, m.malformed(t, pos, reason(f.end))
	}
	return f, nil
}

func (m *message) malformed(t *fieldType, offset int, reason string) error {
	name := m.name
	if t != nil {
		name += "." + t.name
	}
	return &ScanError{Offset: offset, Field: name, Reason: reason}
}

// maxDepth is how deep messages may be nested within an attribute, event or link: what google.golang.org/protobuf
// allows. pdata has no limit and would let a request exhaust the stack.
const maxDepth = 10_000

// check walks the message that starts at pos and ends with b, and all in it. It reports whether there are fields that
// this version does not know.
func (m *message) check(b []byte, pos, depth int) (unknown bool, err error) {
	if depth > maxDepth {
		return false, m.malformed(nil, pos, fmt.Sprintf("nested deeper than %d messages", maxDepth))
	}
	if m == &keyValueMessage && plainAttribute(b[pos:]) {
		return false, nil
	}
	for pos < len(b) {
		f, err := m.next(b, pos)
		if err != nil {
			return false, err
		}
		pos = f.end
		if f.num == 0 {
			unknown = true
			continue
		}
		sub := deprecatedScopeSpansField.msg
		if f.num != deprecatedScopeSpans {
			sub = m.fields[f.num].msg
		}
		if sub == nil {
			continue
		}
		u, err := sub.check(b[:f.end], f.start, depth+1)
		if err != nil {
			return false, err
		}
		unknown = unknown || u
	}
	return unknown, nil
}

// plainAttribute reports that kv is a KeyValue laid out as exporters do: a key and then a value of a plain kind, each
// shorter than 128 bytes. It is the short way past next, which takes four calls for the same.
func plainAttribute(kv []byte) bool {
	if len(kv) < 4 || kv[0] != 1<<3|byte(typeLen) || kv[1] >= 0x80 {
		return false
	}
	i := 2 + int(kv[1])
	if i+2 >= len(kv) || kv[i] != 2<<3|byte(typeLen) || i+2+int(kv[i+1]) != len(kv) {
		return false
	}
	v := kv[i+2:]
	switch v[0] {
	case 1<<3 | byte(typeLen), 7<<3 | byte(typeLen):
		return len(v) >= 2 && len(v) < 0x80 && 2+int(v[1]) == len(v)
	case 2<<3 | byte(typeVarint), 3<<3 | byte(typeVarint):
		return len(v) == 2 && v[1] < 0x80 || len(v) == 3 && v[1] >= 0x80 && v[2] < 0x80
	case 4<<3 | byte(typeFixed64):
		return len(v) == 9
	}
	return false
}
