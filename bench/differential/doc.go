// Package differential holds slowburn's tail sampler against contrib's: the same policies and the same spans through both,
// and what each of them kept.
//
// With compat: contrib the kept sets must be equal. Without it, each trace on which they differ must show one of contrib's
// known defects, by name. Both processors run in this process, from their factories, on a fake clock.
package differential
