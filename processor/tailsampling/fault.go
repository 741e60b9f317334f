package tailsampling

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// guard lets the caller survive a fault in memory that is a file's, which is how the kernel tells that a disk failed:
//
//	defer guard(&err, true)()
//
// makes it an error. Other panics go on.
func guard(err *error, on bool) func() {
	if !on {
		return func() {}
	}
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
		*err = fmt.Errorf("%w: %w", errDisk, fault)
	}
}
