package misdirected

import (
	"errors"
	"net"
	"strings"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// maxOpening is how many bytes of a connection are looked at, at most.
const maxOpening = 16 << 10

// opening is what a connection begins with. It is for one goroutine.
type opening struct {
	conn net.Conn
	// seen is the beginning, as far as it was looked at. Where read is set it was taken out of the connection.
	seen []byte
	read bool
}

// await looks at more of the connection until enough says so of what was seen, or maxOpening was.
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

// awaitFor is await within a time. What follows has as long as after: a server's own deadline is unknown here.
func (o *opening) awaitFor(within, after time.Duration, enough func(seen []byte) bool) {
	_ = o.conn.SetReadDeadline(clock.Now().Add(within)) // it fails on closed connections only, as await does
	_ = o.await(enough)                                 // whoever reads on finds what is wrong
	_ = o.conn.SetReadDeadline(clock.Now().Add(after))
}

// rest returns the connection as if nothing had looked at it.
func (o *opening) rest() net.Conn {
	if !o.read || len(o.seen) == 0 {
		return o.conn
	}
	return &replay{Conn: o.conn, start: o.seen}
}

// isTLS reports whether it begins as a TLS handshake does.
func (o *opening) isTLS() bool { return len(o.seen) > 0 && o.seen[0] == tlsHandshake }

// isHTTP2 reports whether it begins as HTTP/2 does.
func (o *opening) isHTTP2() bool { return strings.HasPrefix(string(o.seen), preface) }

// isHTTP1 reports whether it begins as HTTP/1 does: with a method.
func (o *opening) isHTTP1() bool {
	return len(o.seen) > 0 && o.seen[0] >= 'A' && o.seen[0] <= 'Z' && tellsHTTP2(o.seen) && !o.isHTTP2()
}

// tellsHTTP2 reports whether so much of a connection tells whether it is HTTP/2.
func tellsHTTP2(seen []byte) bool {
	return len(seen) >= len(preface) || !strings.HasPrefix(preface, string(seen))
}

// replay is a connection whose first bytes were read already. One goroutine reads at a time.
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
