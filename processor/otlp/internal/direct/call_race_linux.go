//go:build race

package direct

import "syscall"

// Read reads from a socket that does not block, so that the race detector knows what a peer in the same process did before. The
// error is a syscall.Errno.
func Read(fd uintptr, b []byte) (int, error) {
	for {
		if n, err := syscall.Read(int(fd), b); err != syscall.EINTR { //nolint:errorlint // a system call wraps nothing
			return max(n, 0), err
		}
	}
}

// Write writes to a socket that does not block. The error is a syscall.Errno.
func Write(fd uintptr, b []byte) (int, error) {
	for {
		if n, err := syscall.Write(int(fd), b); err != syscall.EINTR { //nolint:errorlint // a system call wraps nothing
			return max(n, 0), err
		}
	}
}
