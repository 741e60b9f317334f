package spanlog

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// ErrDisk is a disk that failed under memory that is a file's.
var ErrDisk = errors.New("the disk of the span log failed")

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

// readable looks at each page of bytes that may be a file's, and reports whether the disk gives them back.
func readable(b []byte) (err error) {
	defer Guard(&err)()
	const least = 4 << 10 // the size of a page, or a part of it
	sum := byte(0)
	for at := 0; at < len(b); at += least {
		sum += b[at]
	}
	runtime.KeepAlive(sum)
	return nil
}

// markFree marks a segment's file as free, and reports whether the disk took it.
func markFree(b []byte) (err error) {
	defer Guard(&err)()
	setMagic(b, magicFree)
	return nil
}
