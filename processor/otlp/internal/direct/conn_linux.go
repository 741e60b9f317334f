package direct

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// conn is a connection of TCP. Its methods may be called concurrently.
type conn struct {
	*net.TCPConn
	raw syscall.RawConn
}

// New returns c as a connection that is read and written directly.
func New(c *net.TCPConn) net.Conn {
	raw, err := c.SyscallConn()
	if err != nil {
		return c
	}
	return &conn{c, raw}
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	var failed error
	err = c.raw.Read(func(fd uintptr) bool {
		n, failed = Read(fd, b)
		return !errors.Is(failed, syscall.EAGAIN)
	})
	if err = c.explain("read", err, failed); err == nil && n == 0 {
		err = io.EOF
	}
	return n, err
}

// Write implements net.Conn.
func (c *conn) Write(b []byte) (n int, err error) {
	var failed error
	err = c.raw.Write(func(fd uintptr) bool {
		for n < len(b) {
			var more int
			if more, failed = Write(fd, b[n:]); failed != nil {
				return !errors.Is(failed, syscall.EAGAIN)
			}
			n += more
		}
		return true
	})
	return n, c.explain("write", err, failed)
}

// explain returns the error that the net package has for that of waiting, or else of a system call.
func (c *conn) explain(op string, waiting, failed error) error {
	var known *net.OpError
	switch {
	case errors.As(waiting, &known):
		known.Op = op
		return waiting
	case waiting != nil:
		return waiting
	case failed != nil:
		return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(op, failed)}
	}
	return nil
}
