//go:build !unix

package misdirected

import (
	"errors"
	"net"
)

func look(*net.TCPConn, func([]byte) bool) ([]byte, error) { return nil, errors.ErrUnsupported }
