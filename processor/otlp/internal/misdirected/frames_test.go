package misdirected

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// begins is what a client sends first: settings, an acknowledgement, a request with some headers, and another acknowledgement.
func begins(t testing.TB, headers ...string) []byte {
	t.Helper()
	var b, block bytes.Buffer
	b.WriteString(preface)
	framer := http2.NewFramer(&b, nil)
	require.NoError(t, framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20}))
	require.NoError(t, framer.WriteSettingsAck())
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(headers); i += 2 {
		require.NoError(t, encoder.WriteField(hpack.HeaderField{Name: headers[i], Value: headers[i+1]}))
	}
	require.NoError(t, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true}))
	require.NoError(t, framer.WriteSettingsAck())
	require.NoError(t, framer.WriteData(1, true, bytes.Repeat([]byte("body"), 1000)))
	return b.Bytes()
}

func TestFirstIsGRPC(t *testing.T) {
	request := []string{":method", "POST", ":scheme", "http", ":path", "/v1/traces", ":authority", "gateway"}
	for contentType, want := range map[string]bool{"application/grpc": true, "application/grpc+proto": true, "application/x-protobuf": false, "": false} {
		headers := request
		if contentType != "" {
			headers = append(headers, "content-type", contentType)
		}
		b := begins(t, headers...)
		knownAt := 0
		for n := range b {
			gRPC, known := firstIsGRPC(b[:n])
			if !known {
				assert.Zero(t, knownAt, "what was known stays known")
				continue
			}
			assert.Equal(t, want, gRPC, contentType)
			if knownAt == 0 {
				knownAt = n
			}
		}
		assert.NotZero(t, knownAt)
	}
}

// FuzzFirstIsGRPC checks that no bytes of a client cause a panic.
func FuzzFirstIsGRPC(f *testing.F) {
	f.Add(begins(f, ":method", "POST", "content-type", "application/grpc")[len(preface):])
	f.Fuzz(func(t *testing.T, b []byte) {
		firstIsGRPC(append([]byte(preface), b...))
		got, err := io.ReadAll(&unacknowledging{Conn: reading{Reader: bytes.NewReader(b)}})
		if err == nil {
			assert.LessOrEqual(t, len(got), len(b))
		}
	})
}

// reading is a connection that can only be read.
type reading struct {
	net.Conn
	io.Reader
}

func (r reading) Read(b []byte) (int, error) { return r.Reader.Read(b) }

// TestUnacknowledging checks that the first acknowledgement is removed and all other bytes pass, in reads of any size.
func TestUnacknowledging(t *testing.T) {
	b := begins(t, ":method", "POST")
	var ack bytes.Buffer
	require.NoError(t, http2.NewFramer(&ack, nil).WriteSettingsAck())
	want := bytes.Replace(b, ack.Bytes(), nil, 1)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "in halves": iotest.HalfReader, "byte by byte": iotest.OneByteReader,
	} {
		conn := &unacknowledging{Conn: reading{Reader: wrap(bytes.NewReader(b))}, pass: len(preface)}
		got, err := io.ReadAll(wrap(conn))
		require.NoError(t, err)
		assert.Equal(t, want, got, name)
	}
}
