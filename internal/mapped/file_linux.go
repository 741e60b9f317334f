package mapped

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

// madvPopulateWrite makes pages present and writable, or fails (Linux 5.14).
const madvPopulateWrite = 23

// preallocate allocates disk space for a file.
func preallocate(f *os.File, size int) error {
	err := ignoringEINTR(func() error { return syscall.Fallocate(int(f.Fd()), 0, 0, int64(size)) })
	if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
		return writeZeros(f, size)
	}
	return err
}

// populate makes the pages of a mapping present, so that a failing disk shows here and not in a store. It is also
// cheaper than a fault per page.
func populate(b []byte) error {
	err := ignoringEINTR(func() error { return syscall.Madvise(b, madvPopulateWrite) })
	if errors.Is(err, syscall.EINVAL) {
		return nil // an older kernel; Guard still covers stores
	}
	return err
}

// cached reports whether the pages of a mapping are in memory, judged by a few of them.
func cached(b []byte) bool {
	const samples = 8
	page := os.Getpagesize()
	for i := range samples {
		at := i * (len(b) - 1) / (samples - 1) / page * page
		var present byte
		_, _, failed := syscall.Syscall(syscall.SYS_MINCORE, uintptr(unsafe.Pointer(&b[at])), 1, uintptr(unsafe.Pointer(&present)))
		if failed != 0 || present&1 == 0 {
			return false
		}
	}
	return true
}
