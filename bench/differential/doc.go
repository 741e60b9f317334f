// Package differential compares slowburn's tail sampler with contrib's: both get the same policies and the same spans, and the
// tests compare the traces that they keep.
//
// With compat: contrib the kept sets must be equal. Without it, each trace on which they differ must show one of contrib's
// known defects, by name. Both processors run in this process, from their factories, on a fake clock.
package differential
