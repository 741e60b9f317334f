//go:build linux && !race

package meter

import (
	"syscall"
	"unsafe"
)

// read reads from a socket that does not block. The runtime is not told of the call: otherwise the first call after each moment in
// which the whole process was idle wakes the runtime's monitor thread, which then looks around every 20 µs until the process is idle
// again. At some thousand such moments a second that is a tenth of the gateway's CPU time. A call that does not block needs no
// monitor.
func read(fd uintptr, b []byte) (int, error) { return call(syscall.SYS_READ, fd, b) }

// write writes to a socket that does not block, as read reads.
func write(fd uintptr, b []byte) (int, error) { return call(syscall.SYS_WRITE, fd, b) }

func call(number, fd uintptr, b []byte) (int, error) {
	for {
		n, _, failed := syscall.RawSyscall(number, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch failed {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, failed
		}
	}
}
