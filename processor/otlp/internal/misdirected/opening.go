package misdirected

import (
	"errors"
	"net"
	"strings"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// maxOpening is the largest number of bytes of a connection that are inspected.
const maxOpening = 16 << 10

// opening is the beginning of a connection. It is for one goroutine.
type opening struct {
	conn net.Conn
	// seen holds the inspected bytes. If read is set, they were consumed from the connection.
	seen []byte
	read bool
}

// await inspects more of the connection until enough returns true, or maxOpening bytes were inspected.
func (o *opening) await(enough func(seen []byte) bool) error {
	if l := intake.TCP(o.conn); l != nil && !o.read {
		seen, err := look(l, enough)
		if len(seen) > 0 {
			o.seen = seen
		}
		if !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	for len(o.seen) == 0 || !enough(o.seen) && len(o.seen) < maxOpening {
		part := make([]byte, 4<<10)
		n, err := o.conn.Read(part)
		o.read = o.read || n > 0
		o.seen = append(o.seen, part[:n]...)
		if err != nil {
			return err
		}
	}
	return nil
}

// awaitFor is await with a time limit. Afterwards the connection's deadline is set to after, as the server's
// own deadline is unknown here.
func (o *opening) awaitFor(within, after time.Duration, enough func(seen []byte) bool) {
	_ = o.conn.SetReadDeadline(clock.Deadline(within)) // it only fails on closed connections, as await does
	_ = o.await(enough)                                // the next reader gets the error
	_ = o.conn.SetReadDeadline(clock.Deadline(after))
}

// rest returns the connection with the inspected bytes in front.
func (o *opening) rest() net.Conn {
	if !o.read || len(o.seen) == 0 {
		return o.conn
	}
	return &replay{Conn: o.conn, start: o.seen}
}

// isTLS reports whether the connection begins with a TLS handshake.
func (o *opening) isTLS() bool { return len(o.seen) > 0 && o.seen[0] == tlsHandshake }

// isHTTP2 reports whether the connection begins with HTTP/2's preface.
func (o *opening) isHTTP2() bool { return strings.HasPrefix(string(o.seen), preface) }

// isHTTP1 reports whether the connection begins with a method of HTTP/1.
func (o *opening) isHTTP1() bool {
	return len(o.seen) > 0 && o.seen[0] >= 'A' && o.seen[0] <= 'Z' && tellsHTTP2(o.seen) && !o.isHTTP2()
}

// tellsHTTP2 reports whether these bytes show whether a connection is HTTP/2.
func tellsHTTP2(seen []byte) bool {
	return len(seen) >= len(preface) || !strings.HasPrefix(preface, string(seen))
}

// replay is a connection whose first bytes were consumed. One goroutine may read at a time.
type replay struct {
	net.Conn
	start []byte
}

// Read implements net.Conn.
func (c *replay) Read(b []byte) (int, error) {
	if len(c.start) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.start)
	c.start = c.start[n:]
	return n, nil
}
