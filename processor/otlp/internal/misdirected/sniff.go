package misdirected

import (
	"context"
	"io"
	"net"
	"strings"

	"google.golang.org/grpc/credentials"

	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// preface is what a client of HTTP/2 sends first.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// tlsHandshake is the first byte of a TLS client.
const tlsHandshake = 0x16

// Credentials returns credentials of the gRPC port that behave as the inner ones with senders of HTTP/2. Connections that begin
// with an HTTP/1 request are answered apart, until Stop. What comes by HTTP/2 and is not gRPC is reported, without TLS where the
// request comes with the first bytes, and gRPC answers it. A TLS handshake, where TLS is off, is reported and its connection closed. It is called once.
func (r *Requests) Credentials(inner credentials.TransportCredentials, answer Answer) credentials.TransportCredentials {
	r.detached = newDetached(r, answer)
	return &sniffing{inner, r}
}

type sniffing struct {
	credentials.TransportCredentials
	requests *Requests
}

// Clone implements credentials.TransportCredentials.
func (s *sniffing) Clone() credentials.TransportCredentials {
	return &sniffing{s.TransportCredentials.Clone(), s.requests}
}

// ServerHandshake implements credentials.TransportCredentials. gRPC has set a deadline on the connection.
func (s *sniffing) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := s.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return nil, nil, err
	}
	if l := intake.TCP(conn); l != nil {
		seen, err := look(l)
		if err == nil && strings.HasPrefix(string(seen), preface) { // gRPC gets the connection as it is: it reads such ones faster
			inspector := inspector{requests: s.requests}
			inspector.done(seen, conn)
			return conn, info, nil
		}
	}
	start, err := peek(conn)
	switch {
	case err != nil:
		_ = conn.Close() // it sent nothing that could be answered
		return nil, nil, io.EOF
	case start[0] == tlsHandshake:
		s.requests.report(context.Background(), tlsOn("grpc", conn))
		_ = conn.Close()
		return nil, nil, io.EOF
	}
	if start[0] >= 'A' && start[0] <= 'Z' && !strings.HasPrefix(preface, string(start)) {
		s.requests.detached.take(&replay{Conn: conn, start: start})
		return nil, nil, credentials.ErrConnDispatched
	}
	return &replay{Conn: conn, start: start, inspect: &inspector{requests: s.requests}}, info, nil
}

// peek reads as much of a connection as it takes to tell whether it is HTTP/2: at least one byte, at most the preface.
func peek(conn net.Conn) ([]byte, error) {
	start := make([]byte, 0, len(preface))
	for len(start) < len(preface) && preface[:len(start)] == string(start) {
		n, err := conn.Read(start[len(start):cap(start)])
		start = start[:len(start)+n]
		if len(start) == 0 && err != nil {
			return nil, err
		}
		if n == 0 && len(start) > 0 {
			break // what is wrong whoever reads on finds
		}
	}
	return start, nil
}
