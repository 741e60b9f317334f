// Package web is the extension `web`: the dashboard, the HTTP API, /healthz and /readyz.
//
// It knows nothing by itself. It finds the `slo` and `tsdb` extensions in the host, and hears of tail_sampling,
// trace_store and the other components of the pipelines as they announce themselves (package host); internal/known holds
// them. Whatever is not running is answered by a problem document (RFC 9457) that says what to add to the configuration.
// Nothing imports this package: spans flow and alerts fire without it.
//
// The extension starts and stops the server, router.go lays out the paths. What is served has a package each below
// internal: objectives, traces, sampling, jaeger, health, and dashboard for the pages; rest is how they read requests and
// write answers.
package web
