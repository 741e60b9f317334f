package otlp

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
)

// A reader that goes back after what was no gzip, or was cut off, serves the next body all the same.
func TestGzipReadersAreUsedAgain(t *testing.T) {
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			want := bytes.Repeat(fmt.Appendf(nil, "body %d ", n), 10_000)
			packed := compress(t, "gzip", want)
			for i := range 50 {
				_, err := newGzipBody(io.NopCloser(bytes.NewReader([]byte("no gzip"))))
				assert.Error(t, err)
				body, err := newGzipBody(io.NopCloser(bytes.NewReader(packed[:len(packed)-1-i%20])))
				if assert.NoError(t, err) {
					_, err = io.ReadAll(body)
					assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
					assert.NoError(t, body.Close())
					assert.NoError(t, body.Close(), "once is enough")
				}
				body, err = newGzipBody(io.NopCloser(bytes.NewReader(packed)))
				if assert.NoError(t, err) {
					got, err := io.ReadAll(body)
					assert.NoError(t, err)
					assert.True(t, bytes.Equal(want, got))
					assert.NoError(t, body.Close())
				}
			}
		})
	}
	wg.Wait()
}

// What the configuration does not name is not decompressed.
func TestGzipCanBeSwitchedOff(t *testing.T) {
	for algorithms, want := range map[string]int{"": http.StatusOK, "gzip": http.StatusOK, "zstd": http.StatusBadRequest} {
		t.Run(algorithms, func(t *testing.T) {
			settings := map[string]any{}
			if algorithms != "" {
				settings["compression_algorithms"] = []any{algorithms}
			}
			g := start(t, map[string]any{"wire_path": true, "protocols": map[string]any{"http": settings}})
			got := g.post("/v1/traces", "application/x-protobuf", "gzip", compress(t, "gzip", nil))
			assert.Equal(t, want, got.code)
			if want != http.StatusOK {
				assert.Contains(t, got.status.Message(), "unsupported Content-Encoding: gzip")
				return
			}
			assert.Equal(t, codes.OK, got.status.Code())
		})
	}
}

// Requests that arrive in one piece, in several, and beyond the windows are what was sent, also side by side.
func TestBodiesOfAnySize(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true, "protocols": map[string]any{"grpc": map[string]any{"max_recv_msg_size_mib": 16}}})
	for _, size := range []int{0, 100, 20_000, streamWindow + 1, 2*connectionWindow + 1} {
		td, ids := someTraces(3, false)
		got := g.send("grpc", "", bomb(td, size))
		require.Equal(t, codes.OK, got.status.Code(), "%d bytes: %v", size, got.status)
		require.Equal(t, ids, g.take(), "%d bytes", size)
	}
}
