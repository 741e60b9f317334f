// Package wire reads an OTLP trace request in place: spans, resources, scopes and attributes as views over the bytes
// that arrived, so that a span costs no Go object until somebody decides to keep it.
//
// Its types are Request (one scanned ExportTraceServiceRequest), Span, Resource and Scope (small values with offsets
// into Request.Bytes), Value (an attribute's value) and Builder (which puts a request together from parts of others). OTLP's
// numbers of kinds, statuses and flags are constants.
//
// # What Scan accepts
//
// Scan walks the whole request once and checks every nested message, so that what it accepted can always be decoded
// later. It accepts what ptrace.ProtoUnmarshaler accepts and sees what that sees: the last of several scalars wins,
// repeated submessages (resource, scope, status, attribute value) are merged, IDs are absent or exactly 16 or 8 bytes,
// a known field with another wire type is an error, unknown fields are skipped (groups as pdata skips them: an empty
// group only, and not at the end of a message), strings need not be UTF-8. A fuzz test holds the two together.
//
// There are three exceptions:
//   - Messages nested deeper than 10,000 levels, which is where google.golang.org/protobuf stops too, are refused. pdata
//     recurses without a limit, so that one small request could exhaust the stack and kill the process.
//   - Requests over 4 GiB − 1 are refused, because offsets are uint32.
//   - Where a ResourceSpans has no scope_spans (2), its deprecated field 1000 is read as such. ptrace.ProtoUnmarshaler
//     alone hides those spans; ptraceotlp.ExportRequest, which the Collector's own receiver uses, does the same as Scan.
//
// # Ownership
//
// A Request does not own its bytes, and the parts of a Request are only valid as long as those bytes are. In a pipeline
// that is until ConsumeTraces returns: copy what you keep. A Request must not be used by several goroutines while one
// of them scans; reading it concurrently is fine.
package wire
