// Package web is the extension `web`: the dashboard, the HTTP API, /healthz and /readyz.
//
// It has no data of its own. It finds the `slo` and `tsdb` extensions in the host; tail_sampling, trace_store and the other
// components of the pipelines announce themselves (package host), and internal/known holds them. A request for a component
// that does not run gets a problem document (RFC 9457) that says what to add to the configuration. Spans flow and alerts fire
// without this package.
//
// The extension starts and stops the server, and router.go lays out the paths. Each area has a package below internal:
// objectives, traces, sampling, jaeger, health, and dashboard for the pages; rest reads requests and writes answers.
package web
