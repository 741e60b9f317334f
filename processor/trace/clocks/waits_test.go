package clocks

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
)

func TestGaveUp(t *testing.T) {
	for attribute, want := range map[string]bool{
		"http.response.status_code=504": true, "http.status_code=408": true, "http.response.status_code=500": false,
		"rpc.grpc.status_code=4": true, "rpc.grpc.status_code=1": true, "rpc.grpc.status_code=14": false,
		"rpc.response.status_code=DEADLINE_EXCEEDED": true, "rpc.response.status_code=UNAVAILABLE": false,
		"error.type=java.net.SocketTimeoutException": true, "error.type=CancelledError": true,
		"error.type=ECONNREFUSED": false, "net.peer.name=timeout": false,
	} {
		td := ptrace.NewTraces()
		key, value, _ := strings.Cut(attribute, "=")
		td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().Attributes().PutStr(key, value)
		b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
		require.NoError(t, err)
		var r wire.Request
		require.NoError(t, r.Scan(b))
		require.Equal(t, want, gaveUp(r.Spans[0].Body.Of(b)), attribute)
	}
}

func TestMovedIsClamped(t *testing.T) {
	require.Equal(t, uint64(15), moved(10, 3, 2))
	require.Equal(t, uint64(1), moved(10, -20, 5))
	require.Equal(t, uint64(5), moved(10, -5, 0))
}
