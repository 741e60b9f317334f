// Package web is the extension `web`: the dashboard, the HTTP API, /healthz and /readyz.
//
// It knows nothing by itself. It finds the `slo` and `tsdb` extensions in the host, and hears of tail_sampling,
// trace_store and the other components of the pipelines as they announce themselves (package host). Whatever is not
// running is answered by a problem document (RFC 9457) that says what to add to the configuration. Nothing imports
// this package: spans flow and alerts fire without it.
package web
