// Package misdirected answers requests that an OTLP receiver cannot take: those that speak the protocol of its other port, and
// those for a signal or a protocol that it does not serve. The answer says what to set; each Kind is counted, and logged once.
//
// Requests has one counter for both ports. On the HTTP port, Unserved answers paths that are not served, HTTP answers gRPC, and Plain
// sees TLS handshakes. On the gRPC port, Credentials see what is no HTTP/2, and Stream answers services that are not served.
// Detached is the server of the HTTP/1 connections that Credentials take away from gRPC.
//
// All of it may be used concurrently, and there are no locks.
package misdirected
