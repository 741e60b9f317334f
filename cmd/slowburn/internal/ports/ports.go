// Package ports adds the key of the configuration to an error of listening on an address. Its one function is Explain.
package ports

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// explained is an error with the key that it is about. It wraps its cause.
type explained struct {
	text  string
	cause error
}

// Error implements error.
func (e *explained) Error() string { return e.text }

// Unwrap returns the cause.
func (e *explained) Unwrap() error { return e.cause }

// Explain wraps an error of listening on an address with the keys that have the address, and with what to write. It returns any other
// error, and one of an address that no key has, as it is. whole is the configuration with all defaults.
func Explain(err error, whole map[string]any) error {
	var failed *net.OpError
	if !errors.As(err, &failed) || failed.Op != "listen" {
		return err
	}
	all := listenersOf(whole)
	var its []listener
	for _, l := range all {
		if l.isOf(failed) {
			its = append(its, l)
		}
	}
	if len(its) == 0 {
		return err
	}
	text := its[0].key + ": " + its[0].address + " "
	switch other, twice := its[0].rival(all); {
	case errors.Is(failed, syscall.EADDRINUSE) && twice:
		text += fmt.Sprintf("is %s of %s too; write %s", its[0].part(), other.key, its[0].another())
	case errors.Is(failed, syscall.EADDRINUSE):
		text += fmt.Sprintf("is in use by another process; stop that one, or write %s", its[0].another())
	case errors.Is(failed, syscall.EACCES):
		text += "may not be listened on by this user; write a port from 1024 on, or give the process CAP_NET_BIND_SERVICE"
	case errors.Is(failed, syscall.EADDRNOTAVAIL):
		text += "is no address of this machine; write one that it has, or 0.0.0.0 for all of them"
	default:
		text += "cannot be listened on; write an address of this machine and a port, such as 127.0.0.1:4317 (" + failed.Err.Error() + ")"
	}
	return &explained{text, err}
}

// listener is an address of the configuration that a component listens on.
type listener struct {
	key     string
	address string // host:port
	isPort  bool   // the key has only the port
}

// part returns which part of the address the key holds.
func (l listener) part() string {
	if l.isPort {
		return "the port"
	}
	return "the address"
}

// another returns a value to try in its place.
func (l listener) another() string {
	host, port, err := net.SplitHostPort(l.address)
	n, notNumber := strconv.Atoi(port)
	if err != nil || notNumber != nil {
		return "another port"
	}
	const apart = 10
	if n += apart; n > 1<<16-1 {
		n -= 2 * apart
	}
	if l.isPort {
		return fmt.Sprintf("another port, such as %d", n)
	}
	return "another port, such as " + net.JoinHostPort(host, strconv.Itoa(n))
}

// isOf reports whether an error is about this address.
func (l listener) isOf(failed *net.OpError) bool {
	var unknown *net.DNSError
	var invalid *net.AddrError
	host, port, err := net.SplitHostPort(l.address)
	switch {
	case errors.As(failed.Err, &unknown):
		return err == nil && (host == unknown.Name || unknown.Name == failed.Net+"/"+port)
	case errors.As(failed.Err, &invalid):
		return l.address == invalid.Addr || err == nil && port == invalid.Addr
	}
	address, ok := failed.Addr.(*net.TCPAddr)
	if !ok {
		return false
	}
	own, err := net.ResolveTCPAddr("tcp", l.address)
	return err == nil && own.Port == address.Port && (own.IP.Equal(address.IP) || unspecified(own.IP) && unspecified(address.IP))
}

// rival returns another listener whose address conflicts with this one's: the same port on the same or an unspecified IP.
func (l listener) rival(all []listener) (other listener, ok bool) {
	own, err := net.ResolveTCPAddr("tcp", l.address)
	if err != nil || own.Port == 0 {
		return listener{}, false
	}
	for _, other := range all {
		its, err := net.ResolveTCPAddr("tcp", other.address)
		if err == nil && other.key != l.key && its.Port == own.Port && (its.IP.Equal(own.IP) || unspecified(its.IP) || unspecified(own.IP)) {
			return other, true
		}
	}
	return listener{}, false
}

// unspecified reports whether an IP address stands for all of the machine's addresses.
func unspecified(ip net.IP) bool { return len(ip) == 0 || ip.IsUnspecified() }
