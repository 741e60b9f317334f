//go:build unix

package mapped

import (
	"errors"
	"os"
	"syscall"
)

// Lock locks a file for as long as it is open. It reports false if another process has the lock.
func Lock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// mapShared maps a file whose blocks are allocated, so that what is written to the memory is in the file even if the
// process is killed.
func mapShared(f *os.File, size int) ([]byte, error) {
	return syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
}

func unmap(b []byte) {
	if err := syscall.Munmap(b); err != nil {
		panic("mapped: memory was released twice: " + err.Error())
	}
}
