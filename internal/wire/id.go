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

// Range is a part of a request's bytes: those from Off up to, but without, End.
type Range struct{ Off, End uint32 }

// Len returns the number of bytes.
func (r Range) Len() int { return int(r.End - r.Off) }

// Of returns the part of b, without copying. Appending to it does not overwrite what follows in b.
func (r Range) Of(b []byte) []byte { return b[r.Off:r.End:r.End] }
