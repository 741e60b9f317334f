package doors_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/web/internal/doors"
)

// TestConnections: those over the limit are closed unread, with and without TLS; as soon as one leaves, another may come.
func TestConnections(t *testing.T) {
	for name, tls := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zap.InfoLevel)
			var refused atomic.Int64
			c := &doors.Connections{Limit: 2, Logger: zap.New(core), Refused: func(_ context.Context, r doors.Reason) {
				assert.Equal(t, doors.ReasonConnections, r)
				refused.Add(1)
			}}
			server := httptest.NewUnstartedServer(inside)
			server.Config.ConnState = c.State
			server.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
			if tls {
				server.StartTLS()
			} else {
				server.Start()
			}
			defer server.Close()
			dial := func() net.Conn {
				conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
				require.NoError(t, err)
				t.Cleanup(func() { _ = conn.Close() })
				return conn
			}
			first, second := dial(), dial()
			_ = second
			for range 3 {
				_, err := io.ReadAll(dial()) // until it is closed; a reset is an error
				_ = err
			}
			assert.EqualValues(t, 3, refused.Load())
			assert.Equal(t, 1, logs.Len(), "said once")
			require.NoError(t, first.Close())
			require.Eventually(t, func() bool {
				client := server.Client()
				answer, err := client.Get(server.URL)
				if err != nil {
					return false
				}
				defer client.CloseIdleConnections()
				defer func() { _ = answer.Body.Close() }()
				return answer.StatusCode == http.StatusOK
			}, time.Minute, time.Millisecond)
		})
	}
}
