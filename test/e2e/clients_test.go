//go:build e2e

package e2e

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/slowburn/slowburn/web/api"
)

// sendJSON exports over OTLP/HTTP as JSON. As an exporter does, it repeats the request if the gateway asks for that or the connection
// breaks: a gateway whose clock runs fast times clients out soon.
func (g *gateway) sendJSON(t *testing.T, td ptrace.Traces) {
	t.Helper()
	body, err := new(ptrace.JSONMarshaler).MarshalTraces(td)
	require.NoError(t, err)
	var status int
	var answer []byte
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		var resp *http.Response
		if resp, err = http.Post("http://"+g.http+"/v1/traces", "application/json", bytes.NewReader(body)); err != nil {
			continue
		}
		answer, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			continue
		}
		if status = resp.StatusCode; status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
			break
		}
	}
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "%s", answer)
}

// client returns an OTLP/gRPC client of the gateway.
func (g *gateway) client(t *testing.T) ptraceotlp.GRPCClient {
	t.Helper()
	conn, err := grpc.NewClient(g.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return ptraceotlp.NewGRPCClient(conn)
}

// send exports, and repeats the request if the gateway asks for that, as an exporter does.
func send(t *testing.T, client ptraceotlp.GRPCClient, td ptrace.Traces) {
	t.Helper()
	var resp ptraceotlp.ExportResponse
	var err error
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		resp, err = client.Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(td))
		if code := status.Code(err); code != codes.Unavailable && code != codes.ResourceExhausted {
			break
		}
	}
	require.NoError(t, err)
	require.Zero(t, resp.PartialSuccess().RejectedSpans(), resp.PartialSuccess().ErrorMessage())
}

// awaitSettled waits until the gateway has decided and delivered everything.
func (g *gateway) awaitSettled(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		var status api.SamplingStatus
		g.get(t, "/api/sampling/v1/status", &status)
		return status.TracesPending == 0 && status.TracesUndelivered == 0
	}, patience, 100*time.Millisecond, "traces stay undecided or undelivered")
}
