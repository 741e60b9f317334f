// Package shop is a simulated shop of seven services that talk over HTTP and a queue, each with an OpenTelemetry SDK of
// its own, as if it were a process on a host of its own. It is what `make demo` and the end-to-end tests look at.
//
// A Shop is started with New, is driven by Visit (one customer's request), and misbehaves as its Faults say.
package shop
