package intake

import (
	"net"
	"sync"
	"sync/atomic"
)

// Listener counts the connections of a listener, and closes at once what comes beyond a limit: its sender learns so within
// milliseconds and tries again, where one left in the backlog would wait for its own timeout.
type Listener struct {
	net.Listener
	limit   int64
	refused func(net.Conn)
	open    atomic.Int64
}

// NewListener returns a Listener over l for at most limit connections at a time. It calls refused with each that it closes.
func NewListener(l net.Listener, limit int, refused func(net.Conn)) *Listener {
	return &Listener{Listener: l, limit: int64(limit), refused: refused}
}

// Open returns how many connections are open. It may be called concurrently.
func (l *Listener) Open() int64 { return l.open.Load() }

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= l.limit {
			return &conn{Conn: c, listener: l}, nil
		}
		l.open.Add(-1)
		_ = c.Close()
		l.refused(c)
	}
}

// conn tells its listener that it is closed.
type conn struct {
	net.Conn
	listener *Listener
	once     sync.Once
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.once.Do(func() { c.listener.open.Add(-1) })
	return c.Conn.Close()
}

// TCP returns the TCP connection itself, nil if it is another.
func (c *conn) TCP() *net.TCPConn {
	t, _ := c.Conn.(*net.TCPConn)
	return t
}

// TCP returns the TCP connection that c is, counted or not; nil if it is another, such as one of TLS.
func TCP(c net.Conn) *net.TCPConn {
	switch c := c.(type) {
	case *net.TCPConn:
		return c
	case interface{ TCP() *net.TCPConn }:
		return c.TCP()
	}
	return nil
}
