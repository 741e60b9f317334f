// Package otlp is the receiver `otlp`: traces and metrics over OTLP, gRPC and HTTP, with the settings of the Collector's
// own receiver of that name.
//
// Beyond that: if the pipelines behind it can take wire bytes (wire_path, which the converter in package wirepath sets), a
// trace request is not decoded. It is scanned, which checks it and finds its spans, and travels in the context beside an
// empty ptrace.Traces; see package internal/wire. Its bytes are reused when ConsumeTraces returns. Without the converter
// everything is decoded. A request that returns with success although no component took its bytes (batch does that) is
// decoded and passed on again, and an error is logged.
//
// The receiver's answers do not depend on wire_path:
//   - A malformed trace request is refused with the byte at which it goes wrong.
//   - Spans with a zero trace or span ID, and those of a resource or scope over max_resource_size, are left out and reported by
//     OTLP's partial success; see rejected.go.
//   - A retryable error of the pipeline is answered as retryable, with a delay; a permanent one as final.
//   - A request succeeds only after every pipeline has accepted its spans.
//
// # Memory
//
// Both doors pass a request through an entrance: it reserves memory from the budget that all receivers of the process share
// (package internal/intake), decompresses into that, lets the door reserve the memory of decoding (package internal/cost),
// refuses a request that does not fit, and ends one that panics. Package internal/meter reserves what gRPC buffers before it
// calls a door. See docs/configuration.md for the limits and their keys.
//
// One instance serves both signals. It starts with the last of them, so that no request arrives before its pipeline, and
// stops with the first.
package otlp
