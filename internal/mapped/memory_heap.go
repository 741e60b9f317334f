//go:build !unix || race

package mapped

// Allocate returns zeroed memory. It is on the Go heap, because the race detector watches only that.
func Allocate(size int) Memory { return Memory{Buf: make([]byte, size), heap: true} }
