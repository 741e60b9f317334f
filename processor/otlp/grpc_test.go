package otlp

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"

	"github.com/slowburn/slowburn/internal/wire"
)

// rawCodec sends bytes unchanged.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// TestSDKs exports with the exporters that services use.
func TestSDKs(t *testing.T) {
	onAndOff(t, func(t *testing.T, on bool) {
		g := start(t, map[string]any{"wire_path": on})
		overGRPC, err := otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpoint(g.address("gRPC")), otlptracegrpc.WithInsecure(), otlptracegrpc.WithCompressor("gzip"))
		require.NoError(t, err)
		overHTTP, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpoint(g.address("HTTP")), otlptracehttp.WithInsecure())
		require.NoError(t, err)
		provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(overGRPC), sdktrace.WithBatcher(overHTTP))
		ctx, root := provider.Tracer("shop").Start(t.Context(), "checkout")
		_, child := provider.Tracer("shop").Start(ctx, "pay")
		child.End()
		root.End()
		require.NoError(t, provider.Shutdown(t.Context()))

		want := []wire.SpanID{wire.SpanID(root.SpanContext().SpanID()), wire.SpanID(child.SpanContext().SpanID())}
		assert.ElementsMatch(t, append(want, want...), g.take())
	})
}

func TestMetrics(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true})
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("orders")
	m.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(7)
	req := pmetricotlp.NewExportRequestFromMetrics(md)

	_, err := pmetricotlp.NewGRPCClient(g.grpc).Export(t.Context(), req)
	require.NoError(t, err)
	pb, err := req.MarshalProto()
	require.NoError(t, err)
	assert.Equal(t, codes.OK, g.post("/v1/metrics", "application/x-protobuf", "gzip", compress(t, "gzip", pb)).status.Code())
	js, err := req.MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, codes.OK, g.post("/v1/metrics", "application/json", "", js).status.Code())

	got := g.metrics.AllMetrics()
	require.Len(t, got, 3)
	for _, each := range got {
		assert.Equal(t, "orders", each.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Name())
	}
	_, err = pmetricotlp.NewGRPCClient(g.grpc).Export(t.Context(), pmetricotlp.NewExportRequest())
	require.NoError(t, err)
	assert.Len(t, g.metrics.AllMetrics(), 3, "no data points, no call")
}
