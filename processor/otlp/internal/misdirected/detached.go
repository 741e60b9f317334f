package misdirected

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// arrival describes how a connection came.
type arrival struct {
	transport string // of the port: "grpc" or "http"
	plain     bool   // without TLS, to a port with TLS
}

// detached serves connections that the ports' servers cannot serve, by HTTP/1 and HTTP/2. It answers one request each, then the
// connection ends.
type detached struct {
	server *http.Server
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	served sync.WaitGroup
}

// arrived is a connection of detached.
type arrived struct {
	net.Conn
	from arrival
	end  *clock.Timer // closes it, whatever deadlines others set
}

// Close implements net.Conn.
func (c *arrived) Close() error {
	c.end.Stop()
	return c.Conn.Close()
}

type arrivalKey struct{}

// newDetached returns a detached that serves connections.
func newDetached(r *Requests) *detached {
	const patience = 10 * time.Second
	d := &detached{conns: make(chan net.Conn), closed: make(chan struct{})}
	d.server = &http.Server{
		Handler: http.HandlerFunc(r.answerDetached), ReadTimeout: patience, WriteTimeout: 2 * patience, MaxHeaderBytes: 64 << 10,
		ErrorLog:  log.New(io.Discard, "", 0), // errors of broken connections concern nobody
		Protocols: new(http.Protocols),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, arrivalKey{}, c.(*arrived).from)
		},
	}
	d.server.Protocols.SetHTTP1(true)
	d.server.Protocols.SetUnencryptedHTTP2(true)
	d.server.SetKeepAlivesEnabled(false)
	d.served.Go(func() { _ = d.server.Serve(d) }) // it ends with ErrServerClosed
	return d
}

// take serves a connection, or closes it if detached is closed.
func (d *detached) take(conn net.Conn, from arrival) {
	const atMost = 30 * time.Second
	_ = conn.SetDeadline(time.Time{}) // clears the port server's deadline; it only fails on closed connections
	c := &arrived{Conn: conn, from: from, end: clock.AfterFunc(atMost, func() { _ = conn.Close() })}
	select {
	case d.conns <- c:
	case <-d.closed:
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (d *detached) Accept() (net.Conn, error) {
	select {
	case conn := <-d.conns:
		return conn, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener. Each connection knows its own address.
func (d *detached) Addr() net.Addr { return &net.TCPAddr{} }

// Close implements net.Listener.
func (d *detached) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

// stop closes the connections and waits for the server.
func (d *detached) stop() error {
	err := errors.Join(d.Close(), d.server.Close())
	d.served.Wait()
	return err
}

// answerDetached answers a request to detached.
func (r *Requests) answerDetached(w http.ResponseWriter, req *http.Request) {
	from := req.Context().Value(arrivalKey{}).(arrival)
	gRPC := req.ProtoMajor >= 2 && isGRPC(req.Header.Get("Content-Type"))
	q := request{transport: from.transport, gRPC: gRPC, host: req.Host, what: req.URL.Path, from: req.RemoteAddr}
	switch kind := kindOf(req.URL.Path); {
	case kind == Zipkin, kind == Jaeger:
		q.kind = kind // no port serves these
	case from.plain:
		q.kind = PlainOnTLS
	case gRPC:
		q.kind = GRPCOnHTTP
	case from.transport == "grpc":
		q.kind = HTTPOnGRPC
	default:
		q.kind = NotNegotiated
	}
	r.refuse(w, req, q, http.StatusBadRequest)
}
