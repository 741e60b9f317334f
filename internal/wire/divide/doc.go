// Package divide divides kept traces into requests that a destination takes.
//
// Its type is Requests, which is for one goroutine. A span that is too large for a request of its own is trimmed, in its
// wire.Kept: the largest values first, and what is cut is counted as OTLP counts it and said on the span.
package divide
