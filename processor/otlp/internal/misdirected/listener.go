package misdirected

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"sync/atomic"
	"time"
)

// Listener wraps the HTTP port's listener, with TLS unless conf is nil. Connections without TLS to a port with TLS go to detached;
// TLS handshakes to a port without it are reported. The server must log with Log.
func (r *Requests) Listener(l net.Listener, conf *tls.Config) net.Listener {
	l = watched{l, r, conf != nil}
	if conf != nil {
		l = tls.NewListener(l, conf)
	}
	return l
}

type watched struct {
	net.Listener
	requests *Requests
	tls      bool
}

// Accept implements net.Listener.
func (l watched) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: conn, requests: l.requests, tls: l.tls}, nil
}

// watchedConn checks the first byte. One goroutine may read at a time; the other methods may be called
// concurrently.
type watchedConn struct {
	net.Conn
	requests *Requests
	tls      bool
	looked   bool
	gone     atomic.Bool // to detached, which owns it from then on
}

var errGone = errors.New("connection handed to another server")

// Read implements net.Conn.
func (c *watchedConn) Read(b []byte) (int, error) {
	if c.gone.Load() {
		return 0, errGone
	}
	n, err := c.Conn.Read(b)
	if c.looked || n == 0 {
		return n, err
	}
	c.looked = true
	switch {
	case !c.tls && b[0] == tlsHandshake:
		c.requests.report(context.Background(), tlsOn("http", c))
	case c.tls && b[0] >= 'A' && b[0] <= 'Z':
		c.gone.Store(true)
		c.requests.detached.take(&replay{Conn: c.Conn, start: bytes.Clone(b[:n])}, arrival{transport: "http", plain: true})
		return 0, errGone
	}
	return n, err
}

// Write implements net.Conn.
func (c *watchedConn) Write(b []byte) (int, error) {
	if c.gone.Load() {
		return 0, errGone
	}
	return c.Conn.Write(b)
}

// Close implements net.Conn.
func (c *watchedConn) Close() error {
	if c.gone.Load() {
		return nil
	}
	return c.Conn.Close()
}

// SetDeadline implements net.Conn.
func (c *watchedConn) SetDeadline(t time.Time) error { return c.unlessGone(c.Conn.SetDeadline, t) }

// SetReadDeadline implements net.Conn.
func (c *watchedConn) SetReadDeadline(t time.Time) error {
	return c.unlessGone(c.Conn.SetReadDeadline, t)
}

// SetWriteDeadline implements net.Conn.
func (c *watchedConn) SetWriteDeadline(t time.Time) error {
	return c.unlessGone(c.Conn.SetWriteDeadline, t)
}

func (c *watchedConn) unlessGone(set func(time.Time) error, t time.Time) error {
	if c.gone.Load() {
		return errGone
	}
	return set(t)
}

// tlsOn describes a TLS handshake as a request.
func tlsOn(transport string, c net.Conn) request {
	return request{kind: TLSOnPlain, transport: transport, host: c.LocalAddr().String(), what: "TLS handshake", from: c.RemoteAddr().String()}
}

// Log returns a server's log without the connections that went to detached: those were reported.
func Log(to *log.Logger) *log.Logger { return log.New(logWriter{to}, "", 0) }

type logWriter struct{ to *log.Logger }

// Write implements io.Writer.
func (w logWriter) Write(line []byte) (int, error) {
	if !bytes.Contains(line, []byte(errGone.Error())) {
		w.to.Print(string(line))
	}
	return len(line), nil
}
