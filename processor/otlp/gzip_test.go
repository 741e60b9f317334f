package otlp

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
)

// A compression that the configuration does not list is refused.
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

// Requests that arrive in one piece, in several, and beyond the windows equal the sent ones, even in parallel.
func TestBodiesOfAnySize(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true, "protocols": map[string]any{"grpc": map[string]any{"max_recv_msg_size_mib": 16}}})
	for _, size := range []int{0, 100, 20_000, streamWindow + 1, 2*connectionWindow + 1} {
		td, ids := someTraces(3, false)
		got := g.send("grpc", "", bomb(td, size))
		require.Equal(t, codes.OK, got.status.Code(), "%d bytes: %v", size, got.status)
		require.Equal(t, ids, g.take(), "%d bytes", size)
	}
}
