package direct

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/nettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pipe returns both ends of a connection of TCP.
func pipe() (client, server *net.TCPConn, err error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if client, err = net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr)); err != nil {
		return nil, nil, err
	}
	server, err = l.AcceptTCP()
	return client, server, err
}

// TestConn checks that a connection behaves as the net package documents: data, deadlines, closing, concurrent calls.
func TestConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		client, server, err := pipe()
		if err != nil {
			return nil, nil, nil, err
		}
		a, b := New(client), New(server)
		return a, b, func() {
			_ = a.Close()
			_ = b.Close()
		}, nil
	})
}

// TestErrors checks that errors are those of the net package, by which net/http distinguishes a closed connection from a bad request.
func TestErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		before func(t *testing.T, client *net.TCPConn, server net.Conn)
		is     error
	}{
		"end": {func(t *testing.T, client *net.TCPConn, _ net.Conn) { require.NoError(t, client.Close()) }, io.EOF},
		"reset": {func(t *testing.T, client *net.TCPConn, _ net.Conn) {
			require.NoError(t, client.SetLinger(0))
			require.NoError(t, client.Close())
		}, syscall.ECONNRESET},
		"deadline": {func(t *testing.T, _ *net.TCPConn, server net.Conn) {
			require.NoError(t, server.SetDeadline(time.Now().Add(-time.Second)))
		}, os.ErrDeadlineExceeded},
		"closed": {func(t *testing.T, _ *net.TCPConn, server net.Conn) { require.NoError(t, server.Close()) }, net.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			client, tcp, err := pipe()
			require.NoError(t, err)
			server := New(tcp)
			defer client.Close()
			defer server.Close()
			tt.before(t, client, server)
			_, err = server.Read(make([]byte, 1))
			require.ErrorIs(t, err, tt.is)
			if errors.Is(tt.is, io.EOF) {
				assert.Equal(t, io.EOF, err, "it is not wrapped")
				return
			}
			var known *net.OpError
			require.ErrorAs(t, err, &known)
			assert.Equal(t, "read", known.Op)
			assert.Equal(t, name == "deadline", known.Timeout())
			_, err = server.Write(make([]byte, 16<<20))
			require.ErrorAs(t, err, &known)
			assert.Equal(t, "write", known.Op)
		})
	}
}

// A read of nothing does not wait, and a write of nothing writes nothing.
func TestNothing(t *testing.T) {
	client, tcp, err := pipe()
	require.NoError(t, err)
	defer client.Close()
	server := New(tcp)
	defer server.Close()
	n, err := server.Read(nil)
	require.NoError(t, err)
	assert.Zero(t, n)
	n, err = server.Write(nil)
	require.NoError(t, err)
	assert.Zero(t, n)
}
