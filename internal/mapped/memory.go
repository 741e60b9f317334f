package mapped

import (
	"errors"
	"os"
)

// Memory is memory that is anonymous, or a mapped file.
type Memory struct {
	Buf  []byte
	File uint64 // number of its file; 0 if it is in no file
	heap bool   // on the Go heap, which releases it itself
}

// Simulated is the memory of a file that is on no disk: a simulation's.
func Simulated(buf []byte, number uint64) Memory { return Memory{Buf: buf, File: number, heap: true} }

// OnDisk reports whether the memory is a file's.
func (m Memory) OnDisk() bool { return m.File != 0 }

// Release unmaps the memory. A file stays, with what is in it.
func (m Memory) Release() {
	if m.heap {
		return
	}
	unmap(m.Buf)
}

// Create makes sure that the file has room for so many bytes on the disk, and maps it. The mapping outlives f.
func Create(f *os.File, number uint64, size int) (Memory, error) {
	return mapFile(f, number, size, populate)
}

// ErrNotCached is a file whose pages the system has evicted. To read them back costs more than to make a new file.
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

// mapFile maps a file after seeing to it that it has room for so many bytes on the disk, and has the mapping prepared.
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
