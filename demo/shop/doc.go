// Package shop is a simulated shop of seven services that talk over HTTP and a queue, each with an OpenTelemetry SDK of
// its own, as if it were a process on a host of its own. `make demo` and the end-to-end tests run it.
//
// A Shop is started with New, is driven by Visit (one customer's request), and misbehaves as its Faults say.
package shop
