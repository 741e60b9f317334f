package wire

import "encoding/hex"

// TraceID identifies a trace. Zero is no valid trace ID.
type TraceID [16]byte

// IsZero reports whether every byte is zero.
func (id TraceID) IsZero() bool { return id == TraceID{} }

// String returns the ID in lower-case hex.
func (id TraceID) String() string { return hex.EncodeToString(id[:]) }

// SpanID identifies a span within its trace. Zero is no valid span ID; as a parent it says that there is none.
type SpanID [8]byte

// IsZero reports whether every byte is zero.
func (id SpanID) IsZero() bool { return id == SpanID{} }

// String returns the ID in lower-case hex.
func (id SpanID) String() string { return hex.EncodeToString(id[:]) }

// OTLP's numbers of a Span's kind.
const (
	KindUnspecified = iota
	KindInternal
	KindServer
	KindClient
	KindProducer
	KindConsumer

	// NumKinds is the number of kinds in OTLP. A span may have another.
	NumKinds
)

// OTLP's numbers of a Span's status.
const (
	StatusUnset = iota
	StatusOK
	StatusError

	// NumStatuses is the number of statuses in OTLP. A span may have another.
	NumStatuses
)

// Flags of a Span or of a link. The low 8 bits are W3C trace flags.
const (
	// FlagSampled is W3C's sampled flag.
	FlagSampled = 0x1
	// FlagRandom is W3C's random flag, of level 2: the last 7 bytes of the trace ID are random.
	FlagRandom = 0x2
	// FlagHasIsRemote says that FlagIsRemote is valid.
	FlagHasIsRemote = 0x100
	// FlagIsRemote says that the parent, or the link's target, is in another process.
	FlagIsRemote = 0x200
)
