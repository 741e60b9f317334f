package items_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/slowburn/slowburn/internal/items"
	"github.com/slowburn/slowburn/internal/wire"
)

// TestAsBytes checks that the spans of wire requests are counted: decoded ones the Collector counts.
func TestAsBytes(t *testing.T) {
	decoded := ptrace.NewTraces()
	decoded.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	request := wire.NewContext(t.Context(), &wire.Request{Spans: make([]wire.Span, 3)})
	kept := wire.NewKeptContext(t.Context(), &wire.Kept{Spans: []wire.KeptSpan{{Omitted: true}, {Sent: true}, {}, {}}})
	assert.Equal(t, 0, items.AsBytes(t.Context(), decoded))
	assert.Equal(t, 0, items.AsBytes(t.Context(), ptrace.NewTraces()))
	assert.Equal(t, 3, items.AsBytes(request, ptrace.NewTraces()))
	assert.Equal(t, 2, items.AsBytes(kept, ptrace.NewTraces()), "neither what is left out nor what was sent before")
	assert.Equal(t, 0, items.AsBytes(request, decoded))
	assert.Equal(t, 0, items.AsBytes(kept, decoded))
}

// TestMetrics checks that the metrics are the Collector's, with its labels.
func TestMetrics(t *testing.T) {
	tel := componenttest.NewTelemetry()
	set := tel.NewTelemetrySettings()
	p, err := items.NewProcessor(set, component.MustNewIDWithName("reconstruct", "a"))
	require.NoError(t, err)
	e, err := items.NewExporter(set, component.MustNewID("trace_store"), attribute.String("server.address", "x"))
	require.NoError(t, err)
	p.Passed(t.Context(), 5, 4)
	e.Sent(t.Context(), 4)
	e.Failed(t.Context(), 2)
	processor := []attribute.KeyValue{attribute.String("processor", "reconstruct/a"), attribute.String("otel.signal", "traces")}
	exporter := []attribute.KeyValue{attribute.String("exporter", "trace_store"), attribute.String("server.address", "x")}
	for name, want := range map[string]metricdata.DataPoint[int64]{
		"otelcol_processor_incoming_items":   {Attributes: attribute.NewSet(processor...), Value: 5},
		"otelcol_processor_outgoing_items":   {Attributes: attribute.NewSet(processor...), Value: 4},
		"otelcol_exporter_sent_spans":        {Attributes: attribute.NewSet(exporter...), Value: 4},
		"otelcol_exporter_send_failed_spans": {Attributes: attribute.NewSet(exporter...), Value: 2},
	} {
		m, err := tel.GetMetric(name)
		require.NoError(t, err)
		points := m.Data.(metricdata.Sum[int64]).DataPoints
		require.Len(t, points, 1, name)
		assert.Equal(t, want.Value, points[0].Value, name)
		assert.True(t, points[0].Attributes.Equals(&want.Attributes), name)
	}
	require.NoError(t, tel.Shutdown(t.Context()))
}
