package misdirected

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// firstIsGRPC reports whether the first request of an HTTP/2 connection is gRPC. known is false until its headers have come.
func firstIsGRPC(seen []byte) (gRPC, known bool) {
	if len(seen) <= len(preface) {
		return false, false
	}
	framer := http2.NewFramer(io.Discard, bytes.NewReader(seen[len(preface):]))
	framer.SetMaxReadFrameSize(maxOpening) // the framer allocates the announced size
	framer.MaxHeaderListSize = 4 * maxOpening
	framer.ReadMetaHeaders = hpack.NewDecoder(4<<10, nil)
	for {
		frame, err := framer.ReadFrame()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return false, false
		case err != nil:
			return true, true // gRPC answers a broken one
		}
		headers, ok := frame.(*http2.MetaHeadersFrame)
		if !ok {
			continue
		}
		for _, f := range headers.RegularFields() {
			if f.Name == "content-type" {
				return isGRPC(f.Value), true
			}
		}
		return false, true
	}
}

// isGRPC reports whether a content type is gRPC's.
func isGRPC(contentType string) bool { return strings.HasPrefix(contentType, "application/grpc") }

// unacknowledging is an HTTP/2 connection whose client got settings before those of its server. It removes the client's first
// acknowledgement, which the server does not expect. One goroutine may read at a time.
type unacknowledging struct {
	net.Conn
	pass int // bytes to pass on before the next frame begins
	head []byte
	done bool
}

// Read implements net.Conn.
func (c *unacknowledging) Read(b []byte) (int, error) {
	for c.pass == 0 && len(c.head) == 0 && !c.done {
		var head [9]byte // length u24, type, flags, stream u32
		if _, err := io.ReadFull(c.Conn, head[:]); err != nil {
			return 0, err
		}
		const acknowledged = byte(http2.FlagSettingsAck)
		if http2.FrameType(head[3]) == http2.FrameSettings && head[4]&acknowledged != 0 {
			c.done = true
			break
		}
		c.head, c.pass = head[:], int(head[0])<<16|int(head[1])<<8|int(head[2])
	}
	switch {
	case len(c.head) > 0:
		n := copy(b, c.head)
		c.head = c.head[n:]
		return n, nil
	case c.done:
		return c.Conn.Read(b)
	}
	n, err := c.Conn.Read(b[:min(len(b), c.pass)])
	c.pass -= n
	return n, err
}
