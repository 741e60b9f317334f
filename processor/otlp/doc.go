// Package otlp is the receiver `otlp`: traces and metrics over OTLP, gRPC and HTTP, with the settings of the Collector's
// own receiver of that name.
//
// What it does beyond that: where the pipelines behind it can take wire bytes (wire_path, which the converter in package
// wirepath sets), a trace request is not decoded. It is scanned, which says whether it is valid and where its spans are,
// and travels in the context beside an empty ptrace.Traces; see package internal/wire. Its bytes are reused when
// ConsumeTraces returns. Without the converter everything is decoded. A request that comes back with success although nobody
// took its bytes, as batch does it, is decoded and passed on again, and an error is logged.
//
// Whether the path is on or off, the door is the same:
//   - A malformed trace request is refused with the byte at which it goes wrong.
//   - Spans with a zero trace or span ID, and those of a resource or scope over max_resource_size, are left out and reported by
//     OTLP's partial success; see rejected.go.
//   - An error of the pipeline that may go away is answered as retryable with a delay, one that will not as final.
//   - An answer of success is given after every pipeline has accepted the spans, not before.
//
// # Memory
//
// Both doors pass a request through an entrance: it reserves from the budget that all receivers of the process share (package
// internal/intake), decompresses into what it reserved, lets the door reserve what decoding takes (package internal/cost),
// answers what does not fit, and ends a request that panics. What gRPC buffers before it calls a door, package internal/meter
// reserves. See docs/configuration.md for the limits and their keys.
//
// One instance serves both signals. It starts when the last of them is started, so that no request comes in before
// there is somewhere to put it, and stops with the first.
package otlp
