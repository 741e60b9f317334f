// Package e2e tests the built gateway as users run it: with real clients, a real tracing backend in its own process, a webhook receiver
// and a browser. `make e2e` runs the tests, which need the build tag e2e.
package e2e
