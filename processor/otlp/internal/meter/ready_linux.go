package meter

import (
	"errors"
	"io"
	"net"
	"syscall"

	"google.golang.org/grpc/mem"

	"github.com/slowburn/slowburn/processor/otlp/internal/direct"
)

// readyConn reads without a buffer while nothing comes: gRPC's buffer would take half a megabyte for each idle connection. It calls
// the system directly; see package direct.
type readyConn struct {
	*Conn
	raw syscall.RawConn
	reading
	writing
}

// reading is one read. Its function is allocated once.
type reading struct {
	do     func(fd uintptr) bool
	size   int
	pool   mem.BufferPool
	buffer *[]byte
	n      int
	err    error
}

// writing is one write. Its function is allocated once.
type writing struct {
	flush  func(fd uintptr) bool
	rest   []byte // to be written
	failed error
}

// ready returns a TCP connection as one that gRPC reads by ReadOnReady, and any other as it is.
func ready(c *Conn, tcp *net.TCPConn) net.Conn {
	if tcp == nil {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	r := &readyConn{Conn: c, raw: raw}
	r.do = func(fd uintptr) bool {
		r.buffer = r.pool.Get(r.size)
		if r.n, r.err = direct.Read(fd, *r.buffer); r.err != nil {
			r.pool.Put(r.buffer)
			r.buffer, r.n = nil, 0
		}
		return !errors.Is(r.err, syscall.EAGAIN)
	}
	r.flush = func(fd uintptr) bool {
		for len(r.rest) > 0 {
			n, err := direct.Write(fd, r.rest)
			if errors.Is(err, syscall.EAGAIN) {
				return false
			}
			if err != nil {
				r.failed = err
				return true
			}
			r.rest = r.rest[n:]
		}
		return true
	}
	return r
}

// Write implements net.Conn.
func (r *readyConn) Write(b []byte) (int, error) {
	r.sends(b)
	r.rest, r.failed = b, nil
	err := r.raw.Write(r.flush)
	if err == nil {
		err = r.failed
	}
	n := len(b) - len(r.rest)
	r.rest = nil
	return n, err
}

// ReadOnReady waits for data and then reads it into a buffer of the pool. gRPC looks for this method.
func (r *readyConn) ReadOnReady(size int, pool mem.BufferPool) (*[]byte, int, error) {
	r.size, r.pool = size, pool
	err := r.raw.Read(r.do)
	buffer, n := r.buffer, r.n
	if err == nil {
		err = r.err
	}
	r.pool, r.buffer, r.n, r.err = nil, nil, 0, nil
	switch {
	case err == nil && n == 0:
		err = io.EOF
	case err == nil:
		err = r.received((*buffer)[:n])
	}
	if err != nil {
		if buffer != nil {
			pool.Put(buffer)
		}
		return nil, 0, err
	}
	return buffer, n, nil
}
