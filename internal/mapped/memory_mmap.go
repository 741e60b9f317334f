//go:build unix && !race

package mapped

import "syscall"

// Allocate returns zeroed memory outside of the Go heap. The garbage collector lets the heap grow in proportion to its
// live part: segments on the heap would let the garbage of decoding grow to the size of the buffer, and the process to
// twice its budget.
func Allocate(size int) Memory {
	b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		// The system has no memory or no mappings left. The heap may still have room; if not, the process ends as Go
		// programs do.
		return Memory{Buf: make([]byte, size), heap: true}
	}
	return Memory{Buf: b}
}
