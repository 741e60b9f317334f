package intake

import (
	"net"
	"sync"
	"sync/atomic"

	"github.com/slowburn/slowburn/processor/otlp/internal/direct"
)

// Listener counts the connections of a listener, and closes connections beyond a limit at once: their senders notice
// within milliseconds and try again, while in the backlog they would wait for their own timeout.
type Listener struct {
	net.Listener
	limit   int64
	refused func(net.Conn)
	open    atomic.Int64
}

// NewListener returns a Listener over l for at most limit connections at a time. It calls refused with each connection that
// it closes.
func NewListener(l net.Listener, limit int, refused func(net.Conn)) *Listener {
	return &Listener{Listener: l, limit: int64(limit), refused: refused}
}

// Open returns the number of open connections. It may be called concurrently.
func (l *Listener) Open() int64 { return l.open.Load() }

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= l.limit {
			return newConn(c, l), nil
		}
		l.open.Add(-1)
		_ = c.Close()
		l.refused(c)
	}
}

// conn is a connection that is counted until it is closed.
type conn struct {
	net.Conn
	tcp      *net.TCPConn // nil for another kind
	listener *Listener
	once     sync.Once
}

// newConn returns a connection of the listener. One of TCP is read and written directly.
func newConn(c net.Conn, l *Listener) *conn {
	tcp, ok := c.(*net.TCPConn)
	if ok {
		c = direct.New(tcp)
	}
	return &conn{Conn: c, tcp: tcp, listener: l}
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.once.Do(func() { c.listener.open.Add(-1) })
	return c.Conn.Close()
}

// TCP returns the underlying TCP connection, nil for another kind.
func (c *conn) TCP() *net.TCPConn { return c.tcp }

// TCP returns the TCP connection under c, counted or not; nil if c is of another kind, such as TLS.
func TCP(c net.Conn) *net.TCPConn {
	switch c := c.(type) {
	case *net.TCPConn:
		return c
	case interface{ TCP() *net.TCPConn }:
		return c.TCP()
	}
	return nil
}
