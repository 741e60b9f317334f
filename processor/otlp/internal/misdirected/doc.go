// Package misdirected answers requests that an OTLP receiver cannot take: those that speak the protocol of its other port, those
// that come without TLS to a port that has it, or with TLS to one that has none, and those for a signal or a protocol that it does
// not serve. The answer says what to set; each Kind is counted, and logged once.
//
// Requests has one counter for both ports. On the HTTP port, Unserved answers paths that are not served, HTTP answers gRPC, and
// Listener sees what comes without TLS, or with it. On the gRPC port, Credentials see what is no gRPC, and Stream answers services
// that are not served. Connections that neither port can serve go to detached, a server that only answers.
//
//	a connection   begins with                          goes to
//	on a port      a TLS handshake, where TLS is off    detached, which answers in plain text: clients say that this is no TLS
//	               HTTP without TLS, where TLS is on    detached
//	on gRPC's      HTTP/1, or a request by HTTP/2       detached
//	               that is not gRPC
//	on HTTP's      HTTP/2 that TLS did not negotiate    detached
//	on a port      anything else                        the server of that port
//
// All of it may be used concurrently, and there are no locks.
package misdirected
