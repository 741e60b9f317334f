package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// gateway is a receiver on loopback with a pipeline that keeps the received span IDs and answers with err.
type gateway struct {
	t    *testing.T
	recv *otlpReceiver
	tel  *componenttest.Telemetry
	logs *observer.ObservedLogs
	grpc *grpc.ClientConn

	mu       sync.Mutex
	err      error
	onSpans  func(context.Context)
	blind    bool // the pipeline ignores requests in the context
	ids      []wire.SpanID
	wireSeen int // calls that came with a request in the context
	metrics  *consumertest.MetricsSink
}

// start runs a receiver with the keys of conf over `protocols: {grpc, http}` on free ports.
func start(t *testing.T, conf map[string]any) *gateway {
	t.Helper()
	return startIn(t, componenttest.NewNopHost(), conf)
}

// startIn is start with a given host.
func startIn(t *testing.T, h component.Host, conf map[string]any) *gateway {
	t.Helper()
	cfg := config(t, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"grpc": map[string]any{"endpoint": "127.0.0.1:0"}, "http": map[string]any{"endpoint": "127.0.0.1:0"}}}), confmap.NewFromStringMap(conf))
	g := &gateway{t: t, tel: componenttest.NewTelemetry(), metrics: new(consumertest.MetricsSink)}
	set := receivertest.NewNopSettings(NewFactory().Type())
	set.TelemetrySettings = g.tel.NewTelemetrySettings()
	core, logs := observer.New(zapcore.InfoLevel)
	set.Logger, g.logs = zap.New(core), logs
	next, err := consumer.NewTraces(g.consume)
	require.NoError(t, err)
	f := NewFactory()
	traces, err := f.CreateTraces(t.Context(), set, cfg, next)
	require.NoError(t, err)
	metrics, err := f.CreateMetrics(t.Context(), set, cfg, g.metrics)
	require.NoError(t, err)
	require.Same(t, traces, metrics)
	g.recv = traces.(*otlpReceiver)
	require.NoError(t, traces.Start(t.Context(), h))
	require.False(t, g.recv.Probe(t.Context()).OK, "not before both signals are started")
	require.NoError(t, metrics.Start(t.Context(), h))
	require.True(t, g.recv.Probe(t.Context()).OK, g.recv.Probe(t.Context()).Message)
	g.grpc, err = grpc.NewClient(g.address("gRPC"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		require.NoError(t, g.grpc.Close())
		require.NoError(t, traces.Shutdown(context.Background()))
		require.NoError(t, metrics.Shutdown(context.Background()))
		require.NoError(t, g.tel.Shutdown(context.Background()))
	})
	return g
}

// config decodes and validates the layers over the default configuration.
func config(t *testing.T, layers ...*confmap.Conf) *Config {
	t.Helper()
	merged := confmap.New()
	for _, l := range layers {
		require.NoError(t, merged.Merge(l))
	}
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, merged.Unmarshal(cfg))
	require.NoError(t, confmap.Validate(component.Config(cfg)))
	return cfg
}

func (g *gateway) consume(ctx context.Context, td ptrace.Traces) error {
	if g.blind && td.SpanCount() == 0 {
		return nil
	}
	r, release, err := wire.Of(ctx, td)
	if err != nil {
		return err
	}
	defer release()
	g.mu.Lock()
	if _, ok := wire.FromContext(ctx); ok {
		g.wireSeen++
	}
	for _, s := range r.Spans {
		g.ids = append(g.ids, s.ID)
	}
	on, err := g.onSpans, g.err
	g.mu.Unlock()
	if on != nil {
		on(ctx)
	}
	return err
}

// take returns the span IDs since the last call, in order.
func (g *gateway) take() []wire.SpanID {
	g.mu.Lock()
	defer g.mu.Unlock()
	ids := g.ids
	g.ids = nil
	slices.SortFunc(ids, func(a, b wire.SpanID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

// address returns where the receiver listens for the protocol.
func (g *gateway) address(protocol string) string {
	g.recv.mu.Lock()
	defer g.recv.mu.Unlock()
	for _, at := range g.recv.listening {
		if at.Protocol == protocol {
			return at.Address
		}
	}
	g.t.Fatalf("%s is not up", protocol)
	return ""
}

// answer is the sender's result, whatever the protocol.
type answer struct {
	code       int // HTTP
	status     *status.Status
	retryAfter string
	rejected   int64
	message    string
	encoding   string
}

// doors are the ways to send traces.
var doors = []string{"grpc", "protobuf", "json"}

// send posts a request through a door.
func (g *gateway) send(door, compression string, td ptrace.Traces) answer {
	g.t.Helper()
	req := ptraceotlp.NewExportRequestFromTraces(td)
	if door == "grpc" {
		var opts []grpc.CallOption
		if compression != "" {
			opts = append(opts, grpc.UseCompressor(compression))
		}
		resp, err := ptraceotlp.NewGRPCClient(g.grpc).Export(g.t.Context(), req, opts...)
		if err != nil {
			return answer{status: status.Convert(err)}
		}
		return answer{status: status.New(0, ""), rejected: resp.PartialSuccess().RejectedSpans(), message: resp.PartialSuccess().ErrorMessage()}
	}
	marshal, contentType := req.MarshalProto, "application/x-protobuf"
	if door == "json" {
		marshal, contentType = req.MarshalJSON, "application/json"
	}
	body, err := marshal()
	require.NoError(g.t, err)
	return g.post("/v1/traces", contentType, compression, compress(g.t, compression, body))
}

// post sends a body over HTTP and decodes the answer by its Content-Type.
func (g *gateway) post(path, contentType, compression string, body []byte) answer {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, "http://"+g.address("HTTP")+path, bytes.NewReader(body))
	require.NoError(g.t, err)
	req.Header.Set("Content-Type", contentType)
	if compression != "" {
		req.Header.Set("Content-Encoding", compression)
	}
	return g.do(req)
}

func (g *gateway) do(req *http.Request) answer {
	g.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	require.NoError(g.t, err)
	defer func() { require.NoError(g.t, resp.Body.Close()) }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(g.t, err)
	a := answer{code: resp.StatusCode, retryAfter: resp.Header.Get("Retry-After"), encoding: resp.Header.Get("Content-Type"), status: status.New(0, "")}
	enc := encodingOf(a.encoding)
	require.NotNil(g.t, enc, "%d %s: %s", a.code, a.encoding, b)
	if a.code == http.StatusOK {
		ok := ptraceotlp.NewExportResponse()
		unmarshal := ok.UnmarshalProto
		if enc == jsonEncoding {
			unmarshal = ok.UnmarshalJSON
		}
		require.NoError(g.t, unmarshal(b))
		a.rejected, a.message = ok.PartialSuccess().RejectedSpans(), ok.PartialSuccess().ErrorMessage()
		return a
	}
	var s spb.Status
	if enc == jsonEncoding {
		require.NoError(g.t, protojson.Unmarshal(b, &s), "%s", b)
	} else {
		require.NoError(g.t, proto.Unmarshal(b, &s), "%s", b)
	}
	a.status = status.FromProto(&s)
	return a
}

// compress encodes a body by a Content-Encoding.
func compress(t *testing.T, compression string, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch compression {
	case "":
		return body
	case "snappy":
		return snappy.Encode(nil, body)
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zstd":
		zw, err := zstd.NewWriter(&b)
		require.NoError(t, err)
		w = zw
	}
	_, err := w.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// someTraces returns n spans in two resources with IDs 1 to n, and with invalid one more per resource without trace and span ID.
func someTraces(n int, invalid bool) (ptrace.Traces, []wire.SpanID) {
	td := ptrace.NewTraces()
	var ids []wire.SpanID
	for range 2 {
		td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	}
	add := func(i int) ptrace.Span {
		s := td.ResourceSpans().At(i % 2).ScopeSpans().At(0).Spans().AppendEmpty()
		s.SetTraceID(pcommon.TraceID{1, byte(i)})
		s.SetSpanID(pcommon.SpanID{byte(i), byte(i >> 8)})
		s.SetName("GET /cart")
		s.Attributes().PutStr("http.request.method", "GET")
		return s
	}
	for i := 1; i <= n; i++ {
		ids = append(ids, wire.SpanID(add(i).SpanID()))
	}
	if invalid {
		add(250).SetTraceID(pcommon.TraceID{})
		add(251).SetSpanID(pcommon.SpanID{})
	}
	return td, ids
}

// of returns a function that receives a body in memory.
func (*requestBody) of(body []byte) func(*intake.Request) error {
	return func(q *intake.Request) error { return q.Borrow(body) }
}

// must returns a value or panics.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// sumOf returns the value of a counter with the attributes, or 0.
func sumOf(t *testing.T, m metricdata.Metrics, attributes map[string]string) (n int64) {
	t.Helper()
	sum, ok := m.Data.(metricdata.Sum[int64])
	require.True(t, ok)
points:
	for _, p := range sum.DataPoints {
		for key, want := range attributes {
			if got, _ := p.Attributes.Value(attribute.Key(key)); got.AsString() != want {
				continue points
			}
		}
		n += p.Value
	}
	return n
}

// fuzzReceiver holds the doors of a receiver that does not listen, and accepts everything.
type fuzzReceiver struct {
	entrance *entrance
	doors    []door
}

func newFuzzReceiver(tb testing.TB) *fuzzReceiver {
	tb.Helper()
	set := receivertest.NewNopSettings(NewFactory().Type())
	r := &otlpReceiver{set: set, budget: intake.NewBudget(1 << 30)}
	obs, err := r.newObsReport("grpc")
	require.NoError(tb, err)
	refusals, err := newRefusals(set.TelemetrySettings, r.budget)
	require.NoError(tb, err)
	taker, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) error {
		_, release, err := wire.Of(ctx, td)
		if err == nil {
			release()
		}
		return err
	})
	require.NoError(tb, err)
	return &fuzzReceiver{
		entrance: &entrance{transport: "grpc", limit: 1 << 20, budget: r.budget, refusals: refusals},
		doors: []door{
			&tracesDoor{next: taker, obs: obs, wirePath: true, refusals: refusals, maxResource: 100},
			&tracesDoor{next: taker, obs: obs, refusals: refusals, maxResource: 100},
			&metricsDoor{next: consumertest.NewNop(), obs: obs},
		},
	}
}
