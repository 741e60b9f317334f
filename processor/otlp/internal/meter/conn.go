package meter

import (
	"net"
	"sync"

	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// Memory that gRPC needs besides the data, in bytes.
const (
	callMemory  = 16 << 10 // a goroutine and the structures of a call
	frameMemory = 64       // a frame in a list
)

// Conn is a server's HTTP/2 connection. One goroutine may read and one may write at a time.
type Conn struct {
	net.Conn
	refused func()

	mu      sync.Mutex
	in, out frames
	held    *intake.Request
	streams map[uint32]int64 // bytes reserved for each open stream
	highest uint32           // the highest stream so far
	closed  bool
}

// New returns a Conn over c, whose client has sent nothing yet, not even the preface. It reserves from the budget, and calls
// refused when that is used up. A TCP connection is read as gRPC itself reads it, without a buffer while nothing comes.
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

// sends handles the frames that the server is about to send.
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

// received handles the frames that the client sent. On an error, which is intake's, the connection must be
// closed.
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
		case f.kind == frameHeaders && f.stream > c.highest: // others are trailers, or belong to a stream that has ended
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

// hold reserves n more bytes.
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

// end releases the memory of a stream. The caller holds mu.
func (c *Conn) end(stream uint32) {
	c.held.Release(c.streams[stream])
	delete(c.streams, stream)
}
