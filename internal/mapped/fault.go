package mapped

import (
	"errors"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"unsafe"
)

// ErrDisk says that the disk under a mapped file failed.
var ErrDisk = errors.New("the disk under a mapped file failed")

// Fault is a fault in a mapped file's memory. It is an ErrDisk.
type Fault struct{ address uintptr }

// Error describes the fault as a failed file; the runtime's text is about memory.
func (f *Fault) Error() string {
	return ErrDisk.Error() + ": the file was cut off, or cannot be read or written"
}

// Unwrap returns ErrDisk.
func (f *Fault) Unwrap() error { return ErrDisk }

// In reports whether the faulting address is in b.
func (f *Fault) In(b []byte) bool {
	start := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return f.address >= start && f.address < start+uintptr(len(b))
}

// Guard lets its caller survive a fault in a mapped file's memory, by which the kernel reports a failed disk:
//
//	defer Guard(&err)()
//
// turns it into a *Fault. Other panics continue.
func Guard(err *error) func() {
	before := Arm()
	return func() { disarm(before, recover(), err) }
}

// Arm begins what Guard does, and reports whether it had begun before. With Disarm it allocates nothing:
//
//	defer Disarm(Arm(), &err)
func Arm() (before bool) { return debug.SetPanicOnFault(true) }

// Disarm ends what Arm began, which returned before. It must be deferred itself, not called by a deferred function.
func Disarm(before bool, err *error) { disarm(before, recover(), err) }

func disarm(before bool, recovered any, err *error) {
	debug.SetPanicOnFault(before)
	if recovered == nil {
		return
	}
	_, ok := recovered.(runtime.Error)
	fault, addressed := recovered.(interface{ Addr() uintptr })
	if !ok || !addressed {
		panic(recovered)
	}
	*err = &Fault{fault.Addr()}
}

// pageSize is the size of a page, or a fraction of it.
const pageSize = 4 << 10

// Readable reads every page of bytes that may be a mapped file's. It returns a *Fault if the disk fails.
func Readable(b []byte) (err error) {
	defer Guard(&err)()
	sum := byte(0)
	for at := 0; at < len(b); at += pageSize {
		sum += b[at]
	}
	runtime.KeepAlive(sum)
	return nil
}

// Dirty makes the system write all pages of a mapped file again. If the disk fails, it faults.
func Dirty(b []byte) {
	for at := 0; at < len(b); at += pageSize {
		word := (*uint32)(unsafe.Pointer(&b[at]))
		atomic.StoreUint32(word, atomic.LoadUint32(word))
	}
}
