//go:build !unix || race

package mapped

// Allocate returns zeroed memory. The race detector only watches the Go heap, so tests with it get theirs there too.
func Allocate(size int) Memory { return Memory{Buf: make([]byte, size), heap: true} }
