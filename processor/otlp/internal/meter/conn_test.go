package meter

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/http2"

	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire is a connection whose peer's bytes arrive in pieces of a length.
type wire struct {
	net.Conn
	in    []byte
	piece int
}

func (w *wire) Read(b []byte) (int, error) {
	if len(w.in) == 0 {
		return 0, io.EOF
	}
	n := copy(b, w.in[:min(w.piece, len(w.in))])
	w.in = w.in[n:]
	return n, nil
}

func (w *wire) Write(b []byte) (int, error) { return len(b), nil }
func (w *wire) Close() error                { return nil }

// sent returns a client's bytes: the preface, and the output of f.
func sent(t *testing.T, f func(*http2.Framer)) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(http2.ClientPreface)
	f(http2.NewFramer(&b, nil))
	return b.Bytes()
}

func answer(t *testing.T, c net.Conn, f func(*http2.Framer)) {
	t.Helper()
	var b bytes.Buffer
	f(http2.NewFramer(&b, nil))
	for _, each := range b.Bytes() {
		_, err := c.Write([]byte{each})
		require.NoError(t, err)
	}
}

// The reservation is that of the open streams, however the bytes are split.
func TestConnHoldsOpenStreams(t *testing.T) {
	in := sent(t, func(f *http2.Framer) {
		require.NoError(t, f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}))
		for _, stream := range []uint32{1, 3, 5} {
			require.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte("headers"), EndHeaders: true}))
			require.NoError(t, f.WriteData(stream, false, make([]byte, 1000)))
		}
		require.NoError(t, f.WriteData(1, true, make([]byte, 2000)))
		require.NoError(t, f.WriteRSTStream(3, http2.ErrCodeCancel))
		require.NoError(t, f.WriteData(3, false, make([]byte, 9000)), "which gRPC throws away")
		require.NoError(t, f.WriteData(7, false, make([]byte, 9000)), "of a stream that was never opened")
		require.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: []byte("late"), EndHeaders: true}))
		require.NoError(t, f.WritePing(false, [8]byte{}))
	})
	for _, piece := range []int{1, 2, 3, 8, 9, 10, 100, len(in)} {
		budget := intake.NewBudget(1 << 20)
		c := New(&wire{in: bytes.Clone(in), piece: piece}, budget, func() { t.Error("refused") })
		_, err := io.Copy(io.Discard, c)
		require.NoError(t, err)
		require.EqualValues(t, 2*callMemory+1000+2000+1000+3*frameMemory, budget.Reserved(), "pieces of %d", piece)
		answer(t, c, func(f *http2.Framer) {
			require.NoError(t, f.WriteSettingsAck())
			require.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("headers"), EndHeaders: true}))
			require.NoError(t, f.WriteData(1, false, []byte("answer")))
		})
		require.EqualValues(t, 2*callMemory+4000+3*frameMemory, budget.Reserved(), "it has not ended")
		answer(t, c, func(f *http2.Framer) {
			require.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("trailers"), EndHeaders: true, EndStream: true}))
		})
		require.EqualValues(t, callMemory+1000+frameMemory, budget.Reserved())
		answer(t, c, func(f *http2.Framer) { require.NoError(t, f.WriteRSTStream(5, http2.ErrCodeNo)) })
		require.Zero(t, budget.Reserved())
		require.NoError(t, c.Close())
	}
}

// Closing a connection releases its streams' reservations, and later bytes reserve nothing.
func TestCloseGivesBack(t *testing.T) {
	in := sent(t, func(f *http2.Framer) {
		require.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true}))
		require.NoError(t, f.WriteData(1, false, make([]byte, 1000)))
	})
	budget := intake.NewBudget(1 << 20)
	w := &wire{in: bytes.Clone(in), piece: len(in)}
	c := New(w, budget, func() { t.Error("refused") })
	_, err := io.Copy(io.Discard, c)
	require.NoError(t, err)
	require.Positive(t, budget.Reserved())
	require.NoError(t, c.Close())
	require.NoError(t, c.Close(), "once is enough")
	require.Zero(t, budget.Reserved())
	w.in = in
	_, err = c.Read(make([]byte, 100))
	require.ErrorIs(t, err, net.ErrClosed)
	answer(t, c, func(f *http2.Framer) { require.NoError(t, f.WriteRSTStream(1, http2.ErrCodeNo)) })
	require.Zero(t, budget.Reserved())
}

// Without room the connection ends with intake's error.
func TestConnIsRefused(t *testing.T) {
	in := sent(t, func(f *http2.Framer) {
		require.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true}))
		for range 100 {
			require.NoError(t, f.WriteData(1, false, make([]byte, 16<<10)))
		}
	})
	budget := intake.NewBudget(1 << 20)
	refused := 0
	c := New(&wire{in: in, piece: 64 << 10}, budget, func() { refused++ })
	_, err := io.Copy(io.Discard, c)
	require.Error(t, err)
	assert.Equal(t, 1, refused)
	assert.LessOrEqual(t, budget.Reserved(), int64(1<<20))
	require.NoError(t, c.Close())
	assert.Zero(t, budget.Reserved())
}

// A TCP connection is read when data arrive, and its end is reported.
func TestReadOnReady(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	client, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	server, err := l.Accept()
	require.NoError(t, err)
	budget := intake.NewBudget(1 << 20)
	c := New(server, budget, func() { t.Error("refused") })
	reads, ok := c.(*readyConn)
	if !ok {
		t.Skip("not on this system")
	}
	pool := new(counting)
	time.AfterFunc(50*time.Millisecond, func() {
		_, err := client.Write(sent(t, func(f *http2.Framer) {
			assert.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true}))
		}))
		assert.NoError(t, err)
		assert.NoError(t, client.Close())
	})
	b, n, err := reads.ReadOnReady(1000, pool)
	require.NoError(t, err)
	assert.Equal(t, 24+9, n)
	assert.Equal(t, http2.ClientPreface, string((*b)[:24]))
	assert.Equal(t, 1, pool.out)
	assert.EqualValues(t, callMemory, budget.Reserved())
	pool.Put(b)
	_, _, err = reads.ReadOnReady(1000, pool)
	require.ErrorIs(t, err, io.EOF)
	assert.Zero(t, pool.out, "the buffer is back")
	require.NoError(t, c.Close())
	_, _, err = reads.ReadOnReady(1000, pool)
	require.ErrorIs(t, err, net.ErrClosed)
	assert.Zero(t, budget.Reserved())
}

// counting is a pool that knows how many buffers are out.
type counting struct{ out int }

func (c *counting) Get(n int) *[]byte {
	c.out++
	b := make([]byte, n)
	return &b
}

func (c *counting) Put(*[]byte) { c.out-- }

// FuzzConn checks that for any bytes in any pieces the reservation stays within the budget, and all of it is released.
func FuzzConn(f *testing.F) {
	f.Add([]byte(http2.ClientPreface+"\x00\x00\x00\x01\x04\x00\x00\x00\x01\x00\x00\x05\x00\x00\x00\x00\x00\x01hello\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08"), []byte("\x00\x00\x00\x01\x05\x00\x00\x00\x01"), uint8(7))
	f.Fuzz(func(t *testing.T, in, out []byte, piece uint8) {
		budget := intake.NewBudget(64 << 10)
		whole := New(&wire{in: bytes.Clone(in), piece: max(len(in), 1)}, budget, func() {})
		_, wholeErr := io.Copy(io.Discard, whole)
		held := budget.Reserved()
		require.LessOrEqual(t, held, int64(64<<10))
		require.NoError(t, whole.Close())
		require.Zero(t, budget.Reserved())

		cut := New(&wire{in: in, piece: int(piece) + 1}, budget, func() {})
		_, err := io.Copy(io.Discard, cut)
		if wholeErr == nil && err == nil {
			require.Equal(t, held, budget.Reserved())
		}
		_, _ = cut.Write(out)
		require.GreaterOrEqual(t, budget.Reserved(), int64(0))
		require.NoError(t, cut.Close())
		require.Zero(t, budget.Reserved())
	})
}
