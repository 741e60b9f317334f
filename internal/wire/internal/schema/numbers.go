package schema

import "github.com/slowburn/slowburn/internal/wire/protobuf"

// Numbers of fields that are read, by message.
const (
	// ResourceSpans and ScopeSpans are alike: a shared part, and the members that share it.
	GroupFieldShared  = 1
	GroupFieldMembers = 2

	ResourceSpansFieldResource             = GroupFieldShared
	ResourceSpansFieldScopeSpans           = GroupFieldMembers
	ResourceSpansFieldDeprecatedScopeSpans = 1000 // which old exporters wrote in place of scope_spans

	ResourceFieldAttributes = 1

	ScopeSpansFieldScope = GroupFieldShared
	ScopeSpansFieldSpans = GroupFieldMembers

	ScopeFieldName       = 1
	ScopeFieldVersion    = 2
	ScopeFieldAttributes = 3

	SpanFieldTraceID    = 1
	SpanFieldID         = 2
	SpanFieldTraceState = 3
	SpanFieldParentID   = 4
	SpanFieldName       = 5
	SpanFieldKind       = 6
	SpanFieldStart      = 7
	SpanFieldEnd        = 8
	SpanFieldAttributes = 9
	SpanFieldEvents     = 11
	SpanFieldLinks      = 13
	SpanFieldStatus     = 15
	SpanFieldFlags      = 16

	EventFieldTime       = 1
	EventFieldName       = 2
	EventFieldAttributes = 3

	LinkFieldTraceID    = 1
	LinkFieldSpanID     = 2
	LinkFieldTraceState = 3
	LinkFieldAttributes = 4
	LinkFieldFlags      = 6

	StatusFieldMessage = 2
	StatusFieldCode    = 3

	KeyValueFieldKey   = 1
	KeyValueFieldValue = 2

	AnyValueFieldString = 1
	AnyValueFieldBool   = 2
	AnyValueFieldInt    = 3
	AnyValueFieldDouble = 4
	AnyValueFieldArray  = 5
	AnyValueFieldKvList = 6
	AnyValueFieldBytes  = 7
)

// AttributeTag is the tag of a span's attributes.
const AttributeTag = SpanFieldAttributes<<3 | byte(protobuf.TypeLen)
