// Package divide divides kept traces into requests that a destination accepts.
//
// Its type is Requests, which is for one goroutine. It trims a span that is too large for a request of its own, in its
// wire.Kept: the largest values first. Cuts are counted as OTLP counts them, and noted on the span.
package divide
