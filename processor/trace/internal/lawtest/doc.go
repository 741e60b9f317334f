// Package lawtest has helpers for tests of traces: Parse parses spans, RunData runs the cases under testdata, RequireLaws
// checks the laws that hold for every trace, and random traces provide inputs.
package lawtest
