package wire

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

// field returns what is known of the field with the number; its name is empty where that is nothing.
func (m *message) field(num int32) *fieldType {
	if int(num) < len(m.fields) {
		return &m.fields[num]
	}
	if num == resourceSpansFieldDeprecatedScopeSpans && m == &resourceSpansMessage {
		return &deprecatedScopeSpansField
	}
	return &m.fields[0]
}
