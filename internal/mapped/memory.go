package mapped

import (
	"errors"
	"os"
)

// Memory is anonymous memory, or a mapped file.
type Memory struct {
	Buf  []byte
	File uint64 // number of its file; 0 if there is none
	heap bool   // on the Go heap, which frees it
}

// Simulated returns the memory of a file that is on no disk, for a simulation.
func Simulated(buf []byte, number uint64) Memory { return Memory{Buf: buf, File: number, heap: true} }

// OnDisk reports whether the memory is a file's.
func (m Memory) OnDisk() bool { return m.File != 0 }

// Release unmaps the memory. A file stays, with its contents.
func (m Memory) Release() {
	if m.heap {
		return
	}
	unmap(m.Buf)
}

// Create allocates disk space for the file, and maps it. The mapping outlives f.
func Create(f *os.File, number uint64, size int) (Memory, error) {
	return mapFile(f, number, size, populate)
}

// ErrNotCached says that the system has evicted the file's pages. Reading them back costs more than a new file.
var ErrNotCached = errors.New("the file is not in memory any more")

// Reopen is Create for a file that was mapped before. It returns ErrNotCached if the file is not in memory.
func Reopen(f *os.File, number uint64, size int) (Memory, error) {
	return mapFile(f, number, size, func(b []byte) error {
		if !cached(b) {
			return ErrNotCached
		}
		return populate(b)
	})
}

// mapFile allocates disk space for a file, maps it, and calls prepare for the mapping.
func mapFile(f *os.File, number uint64, size int, prepare func([]byte) error) (Memory, error) {
	if err := preallocate(f, size); err != nil {
		return Memory{}, err
	}
	b, err := mapShared(f, size)
	if err != nil {
		return Memory{}, err
	}
	if err := prepare(b); err != nil {
		unmap(b)
		return Memory{}, err
	}
	return Memory{Buf: b, File: number}, nil
}
