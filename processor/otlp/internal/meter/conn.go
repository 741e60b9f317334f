package meter

import (
	"net"
	"sync"

	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// What gRPC needs beside the bytes, in bytes.
const (
	callMemory  = 16 << 10 // a goroutine and the structures of a call
	frameMemory = 64       // a frame in a list
)

// Conn is a connection of HTTP/2 of a server. One goroutine reads and one writes at a time.
type Conn struct {
	net.Conn
	refused func()

	mu      sync.Mutex
	in, out frames
	held    *intake.Request
	streams map[uint32]int64 // what is held for each that is open
	highest uint32           // stream
	closed  bool
}

// New returns a Conn over c, whose client has sent nothing yet, not even the preface. It reserves from the budget, and
// calls refused when there is not enough of it. A connection of TCP is read as gRPC reads such itself, without a buffer while
// nothing comes.
func New(c net.Conn, budget *intake.Budget, refused func()) net.Conn {
	m := &Conn{Conn: c, refused: refused, in: frames{skip: preface}, held: budget.BeginArriving(), streams: map[uint32]int64{}}
	return ready(m, intake.TCP(c))
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		if spent := c.received(b[:n]); spent != nil {
			return 0, spent
		}
	}
	return n, err
}

// Write implements net.Conn.
func (c *Conn) Write(b []byte) (int, error) {
	c.sends(b)
	return c.Conn.Write(b)
}

// sends looks at what the server is about to send.
func (c *Conn) sends(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		f, rest, ok := c.out.next(b)
		if !ok || c.closed {
			return
		}
		if b = rest; f.kind == frameRSTStream || f.kind == frameHeaders && f.flags&flagEndStream != 0 {
			c.end(f.stream)
		}
	}
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		clear(c.streams)
		c.held.End()
	}
	c.mu.Unlock()
	return c.Conn.Close()
}

// received looks at what the client sent. The error is intake's, and the connection is to be closed for it.
func (c *Conn) received(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	sum := int64(0)
	for {
		f, rest, ok := c.in.next(b)
		if !ok {
			return c.hold(sum)
		}
		b = rest
		switch _, open := c.streams[f.stream]; {
		case f.kind == frameHeaders && f.stream > c.highest: // otherwise trailers, or of a stream that has ended
			c.highest = f.stream
			c.streams[f.stream] = callMemory
			sum += callMemory
		case f.kind == frameData && open:
			n := int64(f.length) + frameMemory
			c.streams[f.stream] += n
			sum += n
		case f.kind == frameRSTStream && open:
			if err := c.hold(sum); err != nil {
				return err
			}
			sum = 0
			c.end(f.stream)
		}
	}
}

// hold reserves n bytes more.
func (c *Conn) hold(n int64) error {
	if n == 0 {
		return nil
	}
	err := c.held.Hold(n)
	if err != nil {
		c.refused()
	}
	return err
}

// end gives back what is held for a stream. The caller holds mu.
func (c *Conn) end(stream uint32) {
	c.held.Release(c.streams[stream])
	delete(c.streams, stream)
}
