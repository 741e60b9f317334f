package misdirected

import (
	"context"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/emptypb"
)

// TestIdleHTTP2 checks that a gRPC client that connects long before its first call is served: longer than the timeout of a first
// request.
func TestIdleHTTP2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := NewRequests(componenttest.NewNopTelemetrySettings(), "/v1/traces", "/v1/metrics",
			func(http.ResponseWriter, *http.Request, string, int) { t.Error("the client is taken for one of HTTP") })
		require.NoError(t, err)
		defer r.Stop()
		calls := 0
		server := grpc.NewServer(grpc.Creds(r.Credentials(nil)), grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
			calls++
			if err := s.RecvMsg(new(emptypb.Empty)); err != nil {
				return err
			}
			return s.SendMsg(new(emptypb.Empty))
		}))
		listener := bufconn.Listen(1 << 20)
		go func() { _ = server.Serve(listener) }()
		defer server.Stop()

		conn, err := grpc.NewClient("passthrough:///gateway", grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
		require.NoError(t, err)
		defer func() { assert.NoError(t, conn.Close()) }()
		conn.Connect()
		synctest.Wait()
		time.Sleep(requestPatience + 200*time.Millisecond)
		require.NoError(t, conn.Invoke(t.Context(), "/service/Method", new(emptypb.Empty), new(emptypb.Empty)))
		assert.Equal(t, 1, calls)
	})
}
