// Package lawtest has what the tests of traces share: Parse reads spans, RunData the cases under testdata, RequireLaws holds a
// trace to what is true of every trace, and the random traces are to be held to it.
package lawtest
