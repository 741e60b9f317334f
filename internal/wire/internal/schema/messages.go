package schema

import "github.com/slowburn/slowburn/internal/wire/protobuf"

// Message describes a protobuf message: its known fields by number.
type Message struct {
	name   string
	fields [17]FieldType
}

// FieldType describes a field; name is empty for an unknown one.
type FieldType struct {
	name    string
	Type    protobuf.Type
	Size    int8     // of an ID in bytes; it may also be empty
	Message *Message // of a submessage
}

// Messages of OTLP 1.x, with the fields that pdata knows.
var (
	Request = Message{name: "ExportTraceServiceRequest", fields: [17]FieldType{
		1: {name: "resource_spans", Type: protobuf.TypeLen, Message: &ResourceSpans},
	}}
	ResourceSpans = Message{name: "ResourceSpans", fields: [17]FieldType{
		1: {name: "resource", Type: protobuf.TypeLen, Message: &Resource},
		2: {name: "scope_spans", Type: protobuf.TypeLen, Message: &ScopeSpans},
		3: {name: "schema_url", Type: protobuf.TypeLen},
	}}
	deprecatedScopeSpansField = FieldType{name: "deprecated_scope_spans", Type: protobuf.TypeLen, Message: &ScopeSpans}

	ScopeSpans = Message{name: "ScopeSpans", fields: [17]FieldType{
		1: {name: "scope", Type: protobuf.TypeLen, Message: &Scope},
		2: {name: "spans", Type: protobuf.TypeLen, Message: &Span},
		3: {name: "schema_url", Type: protobuf.TypeLen},
	}}
	Resource = Message{name: "Resource", fields: [17]FieldType{
		1: {name: "attributes", Type: protobuf.TypeLen, Message: &KeyValue},
		2: {name: "dropped_attributes_count", Type: protobuf.TypeVarint},
		3: {name: "entity_refs", Type: protobuf.TypeLen, Message: &EntityRef},
	}}
	EntityRef = Message{name: "EntityRef", fields: [17]FieldType{
		1: {name: "schema_url", Type: protobuf.TypeLen},
		2: {name: "type", Type: protobuf.TypeLen},
		3: {name: "id_keys", Type: protobuf.TypeLen},
		4: {name: "description_keys", Type: protobuf.TypeLen},
	}}
	Scope = Message{name: "InstrumentationScope", fields: [17]FieldType{
		1: {name: "name", Type: protobuf.TypeLen},
		2: {name: "version", Type: protobuf.TypeLen},
		3: {name: "attributes", Type: protobuf.TypeLen, Message: &KeyValue},
		4: {name: "dropped_attributes_count", Type: protobuf.TypeVarint},
	}}
	Span = Message{name: "Span", fields: [17]FieldType{
		1:  {name: "trace_id", Type: protobuf.TypeLen, Size: 16},
		2:  {name: "span_id", Type: protobuf.TypeLen, Size: 8},
		3:  {name: "trace_state", Type: protobuf.TypeLen},
		4:  {name: "parent_span_id", Type: protobuf.TypeLen, Size: 8},
		5:  {name: "name", Type: protobuf.TypeLen},
		6:  {name: "kind", Type: protobuf.TypeVarint},
		7:  {name: "start_time_unix_nano", Type: protobuf.TypeFixed64},
		8:  {name: "end_time_unix_nano", Type: protobuf.TypeFixed64},
		9:  {name: "attributes", Type: protobuf.TypeLen, Message: &KeyValue},
		10: {name: "dropped_attributes_count", Type: protobuf.TypeVarint},
		11: {name: "events", Type: protobuf.TypeLen, Message: &Event},
		12: {name: "dropped_events_count", Type: protobuf.TypeVarint},
		13: {name: "links", Type: protobuf.TypeLen, Message: &Link},
		14: {name: "dropped_links_count", Type: protobuf.TypeVarint},
		15: {name: "status", Type: protobuf.TypeLen, Message: &Status},
		16: {name: "flags", Type: protobuf.TypeFixed32},
	}}
	Event = Message{name: "Span.Event", fields: [17]FieldType{
		1: {name: "time_unix_nano", Type: protobuf.TypeFixed64},
		2: {name: "name", Type: protobuf.TypeLen},
		3: {name: "attributes", Type: protobuf.TypeLen, Message: &KeyValue},
		4: {name: "dropped_attributes_count", Type: protobuf.TypeVarint},
	}}
	Link = Message{name: "Span.Link", fields: [17]FieldType{
		1: {name: "trace_id", Type: protobuf.TypeLen, Size: 16},
		2: {name: "span_id", Type: protobuf.TypeLen, Size: 8},
		3: {name: "trace_state", Type: protobuf.TypeLen},
		4: {name: "attributes", Type: protobuf.TypeLen, Message: &KeyValue},
		5: {name: "dropped_attributes_count", Type: protobuf.TypeVarint},
		6: {name: "flags", Type: protobuf.TypeFixed32},
	}}
	Status = Message{name: "Status", fields: [17]FieldType{
		2: {name: "message", Type: protobuf.TypeLen},
		3: {name: "code", Type: protobuf.TypeVarint},
	}}
	KeyValue = Message{name: "KeyValue", fields: [17]FieldType{
		1: {name: "key", Type: protobuf.TypeLen},
		2: {name: "value", Type: protobuf.TypeLen}, // AnyValue; see init
		3: {name: "key_strindex", Type: protobuf.TypeVarint},
	}}
	AnyValue = Message{name: "AnyValue", fields: [17]FieldType{
		1: {name: "string_value", Type: protobuf.TypeLen},
		2: {name: "bool_value", Type: protobuf.TypeVarint},
		3: {name: "int_value", Type: protobuf.TypeVarint},
		4: {name: "double_value", Type: protobuf.TypeFixed64},
		5: {name: "array_value", Type: protobuf.TypeLen, Message: &ArrayValue},
		6: {name: "kvlist_value", Type: protobuf.TypeLen, Message: &KeyValueList},
		7: {name: "bytes_value", Type: protobuf.TypeLen},
		8: {name: "string_value_strindex", Type: protobuf.TypeVarint},
	}}
	ArrayValue   = Message{name: "ArrayValue", fields: [17]FieldType{1: {name: "values", Type: protobuf.TypeLen}}}
	KeyValueList = Message{name: "KeyValueList", fields: [17]FieldType{1: {name: "values", Type: protobuf.TypeLen, Message: &KeyValue}}}
)

// init closes the cycles: a value may hold values.
func init() {
	KeyValue.fields[2].Message = &AnyValue
	ArrayValue.fields[1].Message = &AnyValue
}

// Field returns the description of the field with the number; its name is empty for an unknown one.
func (m *Message) Field(num int32) *FieldType {
	if int(num) < len(m.fields) {
		return &m.fields[num]
	}
	if num == ResourceSpansFieldDeprecatedScopeSpans && m == &ResourceSpans {
		return &deprecatedScopeSpansField
	}
	return &m.fields[0]
}

// IsText reports whether a field of the message is text: its type is bytes, and it is not an ID, a message, or
// bytes_value.
func (m *Message) IsText(t *FieldType) bool {
	return t.Type == protobuf.TypeLen && t.Size == 0 && t.Message == nil && t != &AnyValue.fields[AnyValueFieldBytes]
}
