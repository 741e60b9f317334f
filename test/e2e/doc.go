// Package e2e runs the built gateway as its users do: real clients, a real tracing backend in a process of its own, a
// webhook receiver, a browser. `make e2e` runs it; without the build tag e2e there is nothing here.
package e2e
