package misdirected

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// preface begins a client's HTTP/2 connection.
const preface = http2.ClientPreface

// tlsHandshake is the first byte of a TLS handshake.
const tlsHandshake = 0x16

const (
	// requestPatience is how long the first request of an HTTP/2 connection is awaited, to see whether it is gRPC. A client that
	// connects before it has a request counts as gRPC.
	requestPatience = time.Second
	// openPatience is how long opening the connection may take from then on.
	openPatience = 10 * time.Second
)

// Credentials returns credentials of the gRPC port, with TLS unless conf is nil. gRPC clients need not negotiate HTTP/2. Other
// connections go to detached.
func (r *Requests) Credentials(conf *tls.Config) credentials.TransportCredentials {
	return &sniffing{insecure.NewCredentials(), conf, r}
}

type sniffing struct {
	credentials.TransportCredentials
	conf     *tls.Config // nil without TLS
	requests *Requests
}

// Info implements credentials.TransportCredentials.
func (s *sniffing) Info() credentials.ProtocolInfo {
	if s.conf != nil {
		return credentials.NewTLS(s.conf).Info()
	}
	return s.TransportCredentials.Info()
}

// Clone implements credentials.TransportCredentials.
func (s *sniffing) Clone() credentials.TransportCredentials {
	return &sniffing{s.TransportCredentials.Clone(), s.conf.Clone(), s.requests}
}

// ServerHandshake implements credentials.TransportCredentials. gRPC has set a deadline on the connection.
func (s *sniffing) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if s.conf == nil {
		conn, info, err := s.TransportCredentials.ServerHandshake(raw)
		if err != nil {
			return nil, nil, err
		}
		return s.open(conn, info)
	}
	o := opening{conn: raw}
	if err := o.await(func([]byte) bool { return true }); err != nil {
		return refused(raw)
	}
	if !o.isTLS() {
		if err := o.await(tellsHTTP2); err != nil || !o.isHTTP1() && !o.isHTTP2() {
			return refused(raw)
		}
		return s.detach(&o, arrival{transport: "grpc", plain: true})
	}
	conn := tls.Server(o.rest(), s.conf) // within gRPC's deadline
	if err := conn.HandshakeContext(context.Background()); err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return s.open(conn, credentials.TLSInfo{State: conn.ConnectionState(),
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}})
}

// open passes a gRPC connection to gRPC, and any other to detached.
func (s *sniffing) open(conn net.Conn, info credentials.AuthInfo) (net.Conn, credentials.AuthInfo, error) {
	o := opening{conn: conn}
	if err := o.await(tellsHTTP2); err != nil && len(o.seen) == 0 {
		return refused(conn) // it sent nothing to answer
	}
	from := arrival{transport: "grpc"}
	switch {
	case s.conf == nil && o.isTLS():
		s.requests.report(context.Background(), tlsOn("grpc", conn))
		return s.detach(&o, from) // as plain text, from which a client sees that there is no TLS
	case o.isHTTP1():
		return s.detach(&o, from)
	case !o.isHTTP2():
		return o.rest(), info, nil // gRPC finds the error
	}
	// Many gRPC clients send a request only after the server's settings, and gRPC sends its own later.
	if err := http2.NewFramer(conn, nil).WriteSettings(); err != nil {
		return refused(conn)
	}
	o.awaitFor(requestPatience, openPatience, func(seen []byte) bool {
		_, known := firstIsGRPC(seen)
		return known
	})
	if gRPC, known := firstIsGRPC(o.seen); known && !gRPC {
		s.requests.detached.take(&unacknowledging{Conn: o.rest(), pass: len(preface)}, from)
		return nil, nil, credentials.ErrConnDispatched
	}
	return o.rest(), info, nil
}

// refused closes a connection that cannot be answered.
func refused(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	_ = conn.Close()
	return nil, nil, io.EOF
}

func (s *sniffing) detach(o *opening, from arrival) (net.Conn, credentials.AuthInfo, error) {
	s.requests.detached.take(o.rest(), from)
	return nil, nil, credentials.ErrConnDispatched
}
