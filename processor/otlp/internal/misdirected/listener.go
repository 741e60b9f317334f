package misdirected

import (
	"context"
	"net"
)

// Plain returns a listener of the HTTP port, which has no TLS. It reports TLS handshakes, and changes nothing.
func (r *Requests) Plain(l net.Listener) net.Listener { return plainListener{l, r} }

type plainListener struct {
	net.Listener
	requests *Requests
}

// Accept implements net.Listener.
func (l plainListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &plainConn{Conn: conn, requests: l.requests}, nil
}

// plainConn looks at the first byte. One goroutine reads at a time.
type plainConn struct {
	net.Conn
	requests *Requests
	looked   bool
}

// Read implements net.Conn.
func (c *plainConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.looked && n > 0 {
		c.looked = true
		if b[0] == tlsHandshake {
			c.requests.report(context.Background(), tlsOn("http", c))
		}
	}
	return n, err
}

// tlsOn is the request of a TLS handshake.
func tlsOn(transport string, c net.Conn) request {
	return request{TLSOnPlain, transport, c.LocalAddr().String(), "TLS handshake", c.RemoteAddr().String()}
}
