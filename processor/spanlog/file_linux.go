package spanlog

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

// madvPopulateWrite makes pages present and writable, or says why that cannot be (Linux 5.14).
const madvPopulateWrite = 23

// preallocate makes sure that a file has room on the disk for so many bytes.
func preallocate(f *os.File, size int) error {
	err := ignoringEINTR(func() error { return syscall.Fallocate(int(f.Fd()), 0, 0, int64(size)) })
	if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
		return writeZeros(f, size)
	}
	return err
}

// populate makes the pages of a mapping present, so that the disk fails here if it does, and not under a store. It is
// also cheaper than a fault for each.
func populate(b []byte) error {
	err := ignoringEINTR(func() error { return syscall.Madvise(b, madvPopulateWrite) })
	if errors.Is(err, syscall.EINVAL) {
		return nil // an older kernel; stores are guarded all the same
	}
	return err
}

// cached reports whether all pages of a mapping are in memory.
func cached(b []byte) bool {
	present := make([]byte, (len(b)+os.Getpagesize()-1)/os.Getpagesize())
	_, _, failed := syscall.Syscall(syscall.SYS_MINCORE,
		uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), uintptr(unsafe.Pointer(&present[0])))
	for _, p := range present {
		if p&1 == 0 {
			return false
		}
	}
	return failed == 0
}
