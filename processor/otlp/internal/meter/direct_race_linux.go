//go:build race

package meter

import "syscall"

// read is made so that the race detector knows what a peer in the same process did before.
func read(fd uintptr, b []byte) (int, error) {
	for {
		if n, err := syscall.Read(int(fd), b); err != syscall.EINTR { //nolint:errorlint // a system call wraps nothing
			return max(n, 0), err
		}
	}
}

func write(fd uintptr, b []byte) (int, error) {
	for {
		if n, err := syscall.Write(int(fd), b); err != syscall.EINTR { //nolint:errorlint // a system call wraps nothing
			return max(n, 0), err
		}
	}
}
