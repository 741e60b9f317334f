package wire

// OTLP's numbers of a Span's kind.
const (
	KindUnspecified = iota
	KindInternal
	KindServer
	KindClient
	KindProducer
	KindConsumer

	// NumKinds is how many kinds OTLP knows. A span may have another.
	NumKinds
)

// OTLP's numbers of a Span's status.
const (
	StatusUnset = iota
	StatusOK
	StatusError

	// NumStatuses is how many statuses OTLP knows. A span may have another.
	NumStatuses
)

// Flags of a Span or of a link. The low 8 bits are W3C trace flags.
const (
	// FlagSampled is W3C's: the span was recorded.
	FlagSampled = 0x1
	// FlagHasIsRemote says that FlagIsRemote is known.
	FlagHasIsRemote = 0x100
	// FlagIsRemote says that the parent, or what is linked to, is in another process.
	FlagIsRemote = 0x200
)

// Numbers of fields, by message: those that code of this package asks for.
const (
	// ResourceSpans and ScopeSpans are alike: something shared, and those that share it.
	groupFieldShared  = 1
	groupFieldMembers = 2

	resourceSpansFieldResource             = groupFieldShared
	resourceSpansFieldScopeSpans           = groupFieldMembers
	resourceSpansFieldDeprecatedScopeSpans = 1000 // which old exporters wrote in place of scope_spans

	resourceFieldAttributes = 1

	scopeSpansFieldScope = groupFieldShared
	scopeSpansFieldSpans = groupFieldMembers

	scopeFieldName       = 1
	scopeFieldVersion    = 2
	scopeFieldAttributes = 3

	spanFieldTraceID    = 1
	spanFieldID         = 2
	spanFieldTraceState = 3
	spanFieldParentID   = 4
	spanFieldName       = 5
	spanFieldKind       = 6
	spanFieldStart      = 7
	spanFieldEnd        = 8
	spanFieldAttributes = 9
	spanFieldEvents     = 11
	spanFieldLinks      = 13
	spanFieldStatus     = 15
	spanFieldFlags      = 16

	eventFieldTime       = 1
	eventFieldName       = 2
	eventFieldAttributes = 3

	linkFieldTraceID = 1

	statusFieldMessage = 2
	statusFieldCode    = 3

	keyValueFieldKey   = 1
	keyValueFieldValue = 2
)
