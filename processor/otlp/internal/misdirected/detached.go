package misdirected

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// Detached answers the HTTP/1 requests of connections that came to the gRPC port: one each, then the connection ends.
type Detached struct {
	server *http.Server
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	served sync.WaitGroup
}

// newDetached starts to serve connections.
func newDetached(r *Requests, answer Answer) *Detached {
	const patience = 10 * time.Second
	d := &Detached{conns: make(chan net.Conn), closed: make(chan struct{})}
	d.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			r.refuse(w, req, HTTPOnGRPC, "grpc", http.StatusBadRequest, answer)
		}),
		ReadTimeout: patience, WriteTimeout: 2 * patience, MaxHeaderBytes: 64 << 10,
	}
	d.server.SetKeepAlivesEnabled(false)
	d.served.Go(func() { _ = d.server.Serve(d) }) // it ends with ErrServerClosed
	return d
}

// take serves a connection, or closes it where Detached is closed.
func (d *Detached) take(conn net.Conn) {
	_ = conn.SetDeadline(time.Time{}) // gRPC's; it fails on closed connections only
	select {
	case d.conns <- conn:
	case <-d.closed:
		_ = conn.Close()
	}
}

// Accept implements net.Listener.
func (d *Detached) Accept() (net.Conn, error) {
	select {
	case conn := <-d.conns:
		return conn, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener. The connections know their own.
func (d *Detached) Addr() net.Addr { return &net.TCPAddr{} }

// Close implements net.Listener.
func (d *Detached) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

// stop cuts off the connections and waits for what accepts them.
func (d *Detached) stop() error {
	err := errors.Join(d.Close(), d.server.Close())
	d.served.Wait()
	return err
}
