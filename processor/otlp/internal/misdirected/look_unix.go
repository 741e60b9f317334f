//go:build unix

package misdirected

import (
	"errors"
	"net"
	"strings"
	"syscall"
)

// look returns what a connection begins with, and leaves it there: as much as has come once that tells whether it is HTTP/2.
func look(conn *net.TCPConn) ([]byte, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	start := make([]byte, 4<<10)
	n := 0
	var failed error
	err = raw.Read(func(fd uintptr) (done bool) {
		for {
			n, _, failed = syscall.Recvfrom(int(fd), start, syscall.MSG_PEEK)
			if !errors.Is(failed, syscall.EINTR) {
				break
			}
		}
		if errors.Is(failed, syscall.EAGAIN) {
			return false
		}
		return failed != nil || n == 0 || n >= len(preface) || !strings.HasPrefix(preface, string(start[:n]))
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	return start[:n], nil
}
