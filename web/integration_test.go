package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/slo/tsdb"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

var _ prometheus = (*tsdb.Extension)(nil)

// TestStoredTraceIsShown exports a trace to the exporter `trace_store`, and reads it over HTTP.
func TestStoredTraceIsShown(t *testing.T) {
	h := plainHost{}
	e := start(t, h)
	h[component.NewID(componentType)] = e

	factory := tracestore.NewFactory()
	cfg := factory.CreateDefaultConfig().(*tracestore.Config)
	cfg.Directory = filepath.Join(t.TempDir(), "data")
	store, err := factory.CreateTraces(t.Context(), exportertest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, store.Start(t.Context(), h))
	t.Cleanup(func() { require.NoError(t, store.Shutdown(context.Background())) })
	require.NoError(t, store.ConsumeTraces(t.Context(), webtest.ExampleTrace()))

	read := func(path string, into any) {
		answer, body := send(t, http.MethodGet, e.url()+path, nil)
		require.Equal(t, http.StatusOK, answer.StatusCode, body)
		require.NoError(t, json.Unmarshal([]byte(body), into))
	}
	var found api.TracePage
	require.Eventually(t, func() bool { // it is written after the answer
		read("api/traces/v1/search?service=checkout&error=true", &found)
		return len(found.Traces) == 1
	}, time.Minute, 10*time.Millisecond)
	assert.Equal(t, webtest.ExampleHex, found.Traces[0].TraceID)

	var view struct {
		Summary api.TraceSummary `json:"summary"`
		Spans   []any            `json:"spans"`
	}
	read("api/traces/v1/traces/"+webtest.ExampleHex, &view)
	assert.Equal(t, found.Traces[0], view.Summary)
	assert.Len(t, view.Spans, found.Traces[0].SpanCount+1, "and what stands for the missing parent")
	var list struct {
		Services []struct {
			Name       string
			Operations []string
		}
	}
	read("api/traces/v1/services", &list)
	require.Len(t, list.Services, 2)
	assert.Equal(t, "checkout", list.Services[0].Name)
	assert.Equal(t, []string{"POST /checkout", "pay"}, list.Services[0].Operations)
	assert.Equal(t, []string{"GET /cart", "call"}, list.Services[1].Operations)
	var traces struct{ Data []any }
	read(fmt.Sprintf("jaeger/api/traces?service=shop&limit=20&start=%d&end=%d", webtest.ExampleAt.UnixMicro(), webtest.ExampleAt.Add(time.Second).UnixMicro()), &traces)
	assert.Len(t, traces.Data, 1)

	d := openDocument(t)
	for path, target := range map[string]string{
		"/api/traces/v1/search": "/api/traces/v1/search", "/api/traces/v1/services": "/api/traces/v1/services",
		"/api/traces/v1/traces/{trace_id}": "/api/traces/v1/traces/" + webtest.ExampleHex, "/readyz": "/readyz",
	} {
		d.requireAnswer(t, e.server.Handler, path, target)
	}
	answer, _ := send(t, http.MethodGet, e.url()+"api/traces/v1/search?cursor=elsewhere", nil)
	assert.Equal(t, http.StatusBadRequest, answer.StatusCode)
}
