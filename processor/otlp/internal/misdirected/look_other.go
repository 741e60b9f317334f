//go:build !unix

package misdirected

import (
	"errors"
	"net"
)

func look(*net.TCPConn) ([]byte, error) { return nil, errors.ErrUnsupported }
