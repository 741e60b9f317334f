//go:build unix

package misdirected

import (
	"errors"
	"net"
	"syscall"
)

// look returns the first bytes of a connection without consuming them: as soon as enough says so, or maxOpening bytes are there.
// With an error it returns the bytes before it.
func look(conn *net.TCPConn, enough func([]byte) bool) ([]byte, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	start := make([]byte, 4<<10)
	n := 0
	var failed error
	err = raw.Read(func(fd uintptr) (done bool) {
		for {
			var got int
			got, _, failed = syscall.Recvfrom(int(fd), start, syscall.MSG_PEEK)
			switch {
			case errors.Is(failed, syscall.EINTR):
				continue
			case errors.Is(failed, syscall.EAGAIN):
				failed = nil
				return false
			case failed != nil:
				return true
			case got == 0:
				failed = net.ErrClosed // the client closed it
				return true
			}
			n = got
			switch {
			case enough(start[:n]), n >= maxOpening:
				return true
			case n < len(start):
				return false
			}
			start = append(start, make([]byte, len(start))...)
		}
	})
	return start[:n], errors.Join(err, failed)
}
