package mapped

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"unsafe"
)

// ErrDisk is a disk that failed under memory that is a file's.
var ErrDisk = errors.New("the disk under a mapped file failed")

// Guard lets its caller survive a fault in memory that is a file's, which is how the kernel tells that a disk failed:
//
//	defer Guard(&err)()
//
// makes it ErrDisk. Other panics go on.
func Guard(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		r := recover()
		if r == nil {
			return
		}
		fault, ok := r.(runtime.Error)
		if _, addressed := r.(interface{ Addr() uintptr }); !ok || !addressed {
			panic(r)
		}
		*err = fmt.Errorf("%w: %w", ErrDisk, fault)
	}
}

// pageSize is the size of a page, or a part of it.
const pageSize = 4 << 10

// Readable returns ErrDisk if the disk does not give a page of bytes that may be a file's back. It touches every page.
func Readable(b []byte) (err error) {
	defer Guard(&err)()
	sum := byte(0)
	for at := 0; at < len(b); at += pageSize {
		sum += b[at]
	}
	runtime.KeepAlive(sum)
	return nil
}

// Dirty makes the system write all pages of a mapped file once more. Where the disk fails under it, that is a fault.
func Dirty(b []byte) {
	for at := 0; at < len(b); at += pageSize {
		word := (*uint32)(unsafe.Pointer(&b[at]))
		atomic.StoreUint32(word, atomic.LoadUint32(word))
	}
}
