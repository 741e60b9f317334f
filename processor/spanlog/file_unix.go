//go:build unix

package spanlog

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes the lock of a file for as long as it is open, and reports whether nobody else has it.
func lockFile(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// mapFile maps a file whose blocks are allocated, so that what is written to the memory is in the file even if the
// process is killed.
func mapFile(f *os.File, size int) ([]byte, error) {
	return syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
}

func unmapFile(b []byte) {
	if err := syscall.Munmap(b); err != nil {
		panic("spanlog: a file was unmapped twice: " + err.Error())
	}
}
