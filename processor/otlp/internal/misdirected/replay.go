package misdirected

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// replay is a connection whose first bytes were read already. One goroutine reads at a time.
type replay struct {
	net.Conn
	start   []byte
	inspect *inspector // nil once it knows
}

// Read implements net.Conn.
func (c *replay) Read(b []byte) (n int, err error) {
	if len(c.start) == 0 {
		n, err = c.Conn.Read(b)
	} else {
		n = copy(b, c.start)
		c.start = c.start[n:]
	}
	if c.inspect != nil && n > 0 && c.inspect.done(b[:n], c.Conn) {
		c.inspect = nil
	}
	return n, err
}

// inspector looks at the first request of an HTTP/2 connection.
type inspector struct {
	requests *Requests
	seen     []byte
}

// maxInspected is after how many bytes an inspector gives up.
const maxInspected = 64 << 10

// done takes more bytes of a client. It reports whether it has seen enough, and reports the request if it is not gRPC.
func (i *inspector) done(b []byte, conn net.Conn) bool {
	i.seen = append(i.seen, b...)
	if len(i.seen) <= len(preface) {
		return false
	}
	framer := http2.NewFramer(io.Discard, bytes.NewReader(i.seen[len(preface):]))
	framer.ReadMetaHeaders = hpack.NewDecoder(4<<10, nil)
	for {
		frame, err := framer.ReadFrame()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return len(i.seen) > maxInspected
		case err != nil:
			return true // gRPC answers it
		}
		headers, ok := frame.(*http2.MetaHeadersFrame)
		if !ok {
			continue
		}
		var contentType string
		for _, f := range headers.RegularFields() {
			if f.Name == "content-type" {
				contentType = f.Value
			}
		}
		if !strings.HasPrefix(contentType, "application/grpc") {
			i.requests.report(context.Background(), request{HTTPOnGRPC, "grpc", headers.PseudoValue("authority"),
				headers.PseudoValue("path"), conn.RemoteAddr().String()})
		}
		return true
	}
}
