// Package wire reads an OTLP trace request in place: spans, resources, scopes and attributes are views over the received
// bytes, so that a span costs no Go object unless it is kept.
//
// Its types are Request (one scanned ExportTraceServiceRequest), Span, Resource and Scope (small values with offsets
// into Request.Bytes), Value (an attribute's value), AttributeWalk (the attributes of a span, one by one), Builder (which puts
// a request together from parts of others), and Kept (kept traces on their way to one destination, with KeptTrace, KeptSpan,
// and Attribute for what is added to them). OTLP's numbers of kinds, statuses and flags are constants.
//
// Below it, protobuf reads the encoding and internal/schema the messages of OTLP; text makes text valid UTF-8; divide divides
// a Kept into requests.
//
// # A Kept
//
// A Kept is filled first: Begin, AddSpan and Arrange for each trace, or Fill. Then spans are written on (SetAttribute,
// SetTraceState, KeptTrace.Marks), which copies none of them. AppendRequest writes both as a request. Reset empties it for the
// next traces.
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
// A Request does not own its bytes, and its parts are only valid as long as those bytes are. In a pipeline
// that is until ConsumeTraces returns: copy what you keep. A Request must not be used by several goroutines while one
// of them scans; reading it concurrently is fine.
//
// A Kept owns its bytes. One goroutine uses it at a time, also for AppendRequest: the callee of the last call with its context.
// There are no locks.
package wire
