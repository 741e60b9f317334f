package otlp

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

// within wraps a body in nested fields, the innermost last.
func within(body []byte, fields ...protowire.Number) []byte {
	for i := len(fields) - 1; i >= 0; i-- {
		body = protowire.AppendBytes(protowire.AppendTag(nil, fields[i], protowire.BytesType), body)
	}
	return body
}

// empties returns n empty fields with a number, two bytes each.
func empties(n int, field protowire.Number) []byte { return bytes.Repeat(within(nil, field), n) }

// sendRaw sends bytes over gRPC as a request of a service.
func (g *gateway) sendRaw(service, compression string, body []byte) *status.Status {
	g.t.Helper()
	opts := []grpc.CallOption{grpc.ForceCodecV2(rawCodec{})}
	if compression != "" {
		opts = append(opts, grpc.UseCompressor(compression))
	}
	var out []byte
	return status.Convert(g.grpc.Invoke(g.t.Context(), "/opentelemetry.proto.collector."+service+"Service/Export", body, &out, opts...))
}

// refusedBy returns how many requests were refused, by reason and transport.
func (g *gateway) refusedBy(reason, transport string) (n int64) {
	g.t.Helper()
	m, err := g.tel.GetMetric("otelcol_receiver_otlp_refused_requests")
	if err != nil {
		return 0 // not counted yet
	}
	return sumOf(g.t, m, map[string]string{"reason": reason, "transport": transport})
}

// A decoded body takes at most nine times its bytes, of metrics sixteen times, whatever its contents: one below that is accepted, one above
// it is refused before it is decoded. Afterwards all memory is free.
func TestElementsAreBoundedByBytes(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true, "protocols": map[string]any{"grpc": map[string]any{"max_recv_msg_size_mib": 20}}})
	const n = 1 << 20
	for name, tt := range map[string]struct {
		service, path string
		body          []byte
		code          codes.Code
	}{
		"spans":                   {"trace.v1.Trace", "/v1/traces", within(empties(n, 2), 1, 2), codes.OK},
		"scopes":                  {"trace.v1.Trace", "/v1/traces", within(empties(n, 2), 1), codes.OK},
		"resources":               {"trace.v1.Trace", "/v1/traces", empties(n, 1), codes.OK},
		"points":                  {"metrics.v1.Metrics", "/v1/metrics", within(empties(n, 1), 1, 2, 2, 5), codes.InvalidArgument},
		"exponential histograms":  {"metrics.v1.Metrics", "/v1/metrics", within(empties(n, 1), 1, 2, 2, 10), codes.InvalidArgument},
		"attributes":              {"metrics.v1.Metrics", "/v1/metrics", within(empties(n, 7), 1, 2, 2, 5, 1), codes.InvalidArgument},
		"packed buckets":          {"metrics.v1.Metrics", "/v1/metrics", within(make([]byte, 2*n), 1, 2, 2, 10, 1, 8, 2), codes.InvalidArgument},
		"metrics of two bytes":    {"metrics.v1.Metrics", "/v1/metrics", within(empties(n, 2), 1, 2), codes.InvalidArgument},
		"resources with nothing":  {"metrics.v1.Metrics", "/v1/metrics", empties(n, 1), codes.InvalidArgument},
		"a name of two megabytes": {"metrics.v1.Metrics", "/v1/metrics", within(make([]byte, 2*n), 1, 2, 2, 1), codes.OK},
	} {
		t.Run(name, func(t *testing.T) {
			zipped := compress(t, "gzip", tt.body)
			for _, send := range []func() codes.Code{
				func() codes.Code { return g.post(tt.path, "application/x-protobuf", "gzip", zipped).status.Code() },
				func() codes.Code { return g.sendRaw(tt.service, "gzip", tt.body).Code() },
			} {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				assert.Equal(t, tt.code, send())
				runtime.ReadMemStats(&after)
				// All bytes ever allocated, the sender's included; the resident ones are a part of them.
				assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(ofMetrics.factor+4)*uint64(len(tt.body))+8<<20)
				assert.Zero(t, g.recv.budget.Reserved())
			}
		})
	}
	assert.EqualValues(t, 6, g.refusedBy(reasonElements, "http"))
	assert.EqualValues(t, 6, g.refusedBy(reasonElements, "grpc"))
}

// The JSON door refuses a body whose decoded size would exceed the limit for its bytes.
func TestElementsOfJSON(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true})
	for path, body := range map[string]string{
		"/v1/traces":  `{"resourceSpans":[{"scopeSpans":[{"spans":[` + strings.Repeat("{},", 100_000) + `{}]}]}]}`,
		"/v1/metrics": `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[` + strings.Repeat("{},", 100_000) + `{}]}}]}]}]}`,
	} {
		got := g.post(path, "application/json", "", []byte(body))
		assert.Equal(t, http.StatusBadRequest, got.code)
		assert.Contains(t, got.status.Message(), "more elements than its")
	}
	assert.Zero(t, g.recv.budget.Reserved())
}

// While others hold the budget, a request is refused at once with a retry delay; later it is accepted.
func TestBudgetIsShared(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true, "intake_budget": "4MiB"})
	td, _ := someTraces(3, false)
	g.onSpans = func(context.Context) {}
	other := g.recv.budget.Begin()
	require.NoError(t, other.Hold(7<<19), "an eighth is for what is on its way")
	for _, door := range doors {
		got := g.send(door, "gzip", td)
		assert.Equal(t, codes.ResourceExhausted, got.status.Code(), door)
		delay, told := retryDelay(got.status)
		assert.True(t, told && delay > 0, door)
		if door != "grpc" {
			assert.Equal(t, http.StatusTooManyRequests, got.code)
			assert.Equal(t, "1", got.retryAfter)
		}
	}
	assert.EqualValues(t, 1, g.refusedBy(reasonBudget, "grpc"))
	assert.EqualValues(t, 2, g.refusedBy(reasonBudget, "http"))
	other.Release(2 << 20)
	for _, door := range doors {
		assert.Equal(t, codes.OK, g.send(door, "", td).status.Code(), door)
		got := g.send(door, "gzip", bomb(td, 3<<20))
		if door == "grpc" {
			_, told := retryDelay(got.status)
			assert.True(t, told, "gRPC has let it in, and the door has no room for it: %v", got.status)
		}
		assert.Equal(t, codes.ResourceExhausted, got.status.Code(), door)
	}
	other.End()
	assert.Zero(t, g.recv.budget.Reserved())
	got := g.send("protobuf", "gzip", bomb(td, 10<<20))
	assert.Equal(t, http.StatusRequestEntityTooLarge, got.code, "more than there is at all: no use in trying again")
	assert.Contains(t, got.status.Message(), "intake_budget of 4.0MiB")
	assert.Zero(t, g.recv.budget.Reserved())
}

// A request that is alone is accepted, or refused permanently, however large it is, and through any door.
func TestLoneRequestIsNeverRetryable(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true, "intake_budget": "4MiB", "protocols": map[string]any{
		"grpc": map[string]any{"endpoint": "127.0.0.1:0", "max_recv_msg_size_mib": 100}, "http": map[string]any{"endpoint": "127.0.0.1:0"},
	}})
	td, _ := someTraces(3, false)
	g.onSpans = func(context.Context) {}
	for size := 1 << 20; size <= 6<<20; size += 256 << 10 {
		large := bomb(td, size)
		for _, door := range doors {
			got := g.send(door, "", large)
			_, told := retryDelay(got.status)
			assert.False(t, told, "%d bytes over %s: %v", size, door, got.status)
			if got.status.Code() != codes.OK {
				assert.Regexp(t, "intake_budget|grpc: received message larger than max", got.status.Message(), "%d bytes over %s", size, door)
			}
			require.Eventually(t, func() bool { return g.recv.budget.Reserved() == 0 }, 10*time.Second, time.Millisecond)
		}
	}
	assert.Positive(t, g.refusedBy(reasonTooLarge, "http"))
	assert.Zero(t, g.refusedBy(reasonBudget, "grpc")+g.refusedBy(reasonBudget, "http"))
}

// Parallel requests stay within the budget, and each is either accepted or refused with a retryable error.
func TestParallelRequestsStayWithin(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true, "intake_budget": "8MiB"})
	td, _ := someTraces(3, false)
	large := bomb(td, 1<<20)
	var clients sync.WaitGroup
	stop := make(chan struct{})
	var highest int64
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Microsecond):
				highest = max(highest, g.recv.budget.Reserved())
			}
		}
	}()
	for i := range 12 {
		clients.Go(func() {
			for range 5 {
				got := g.send(doors[i%2], []string{"", "gzip"}[i%4/2], large)
				if got.status.Code() != codes.OK {
					_, told := retryDelay(got.status)
					assert.True(t, told, "%v", got.status)
				}
			}
		})
	}
	clients.Wait()
	close(stop)
	<-watched
	assert.LessOrEqual(t, highest, int64(8<<20))
	assert.Positive(t, highest)
	assert.Zero(t, g.recv.budget.Reserved())
	assert.NotEmpty(t, g.take(), "some got through")
}

// A panic of a component ends the request with a permanent error; it is counted and logged once, and the next request is accepted.
func TestPanicEndsTheRequest(t *testing.T) {
	onAndOff(t, func(t *testing.T, on bool) {
		g := start(t, map[string]any{"wire_path": on})
		td, ids := someTraces(2, false)
		for _, door := range doors {
			g.mu.Lock()
			g.onSpans = func(context.Context) { panic("a component of the test " + strings.Repeat("x", 100_000)) }
			g.mu.Unlock()
			got := g.send(door, "", td)
			assert.Equal(t, codes.Internal, got.status.Code(), door)
			_, told := retryDelay(got.status)
			assert.False(t, told, "the same bytes would panic again")
			if door != "grpc" {
				assert.Equal(t, http.StatusInternalServerError, got.code)
			}
			assert.Zero(t, g.recv.budget.Reserved(), door)
			g.take()
			g.mu.Lock()
			g.onSpans = nil
			g.mu.Unlock()
			assert.Equal(t, codes.OK, g.send(door, "", td).status.Code(), door)
			assert.Equal(t, ids, g.take())
		}
		assert.EqualValues(t, 1, g.refusedBy(reasonPanic, "grpc"))
		assert.EqualValues(t, 2, g.refusedBy(reasonPanic, "http"))
		logged := g.logs.FilterMessageSnippet("panicked").All()
		require.Len(t, logged, 1, "the others within the minute are counted")
		assert.Contains(t, fmt.Sprint(logged[0].ContextMap()["stack"]), "TestPanicEndsTheRequest")
		for key, text := range logged[0].ContextMap() {
			assert.LessOrEqual(t, len(fmt.Sprint(text)), maxStack, key)
		}
	})
}

// The same holds for metrics.
func TestPanicOfMetrics(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true})
	next, err := consumer.NewMetrics(func(context.Context, pmetric.Metrics) error { panic("metrics") })
	require.NoError(t, err)
	d := &metricsDoor{next: next, obs: must(g.recv.newObsReport("grpc"))}
	md := pmetric.NewMetrics()
	md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	require.NoError(t, err)
	e := &entrance{transport: "grpc", limit: 1 << 20, budget: g.recv.budget, refusals: g.recv.refusals}
	_, err = e.pass(t.Context(), d, protobufEncoding, (&requestBody{}).of(body))
	s, _ := statusOf(err)
	assert.Equal(t, codes.Internal, s.Code())
	assert.Zero(t, g.recv.budget.Reserved())
}

// A request that does not arrive in time is ended, over both protocols, and its reservation is released; a slow pipeline does not
// count.
func TestReceiveTimeout(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true, "receive_timeout": "300ms"})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", g.address("HTTP"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, conn.Close()) }()
	_, err = io.WriteString(conn, "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 20000000\r\n\r\nx")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return g.recv.budget.Reserved() > 0 }, 10*time.Second, time.Millisecond)
	assert.LessOrEqual(t, g.recv.budget.Reserved(), int64(64<<10), "a header reserves nothing")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	assert.Equal(t, "1", resp.Header.Get("Retry-After"))
	assert.EqualValues(t, 1, g.refusedBy(reasonTimeout, "http"))

	stream, err := g.grpc.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", grpc.ForceCodecV2(rawCodec{}))
	require.NoError(t, err)
	err = stream.RecvMsg(new([]byte)) // sends nothing
	assert.Equal(t, codes.DeadlineExceeded, status.Code(err), "%v", err)
	assert.EqualValues(t, 1, g.refusedBy(reasonTimeout, "grpc"))

	td, _ := someTraces(1, false)
	g.onSpans = func(context.Context) { time.Sleep(600 * time.Millisecond) }
	for _, door := range doors {
		assert.Equal(t, codes.OK, g.send(door, "gzip", td).status.Code(), door)
	}
	assert.Zero(t, g.recv.budget.Reserved())
}

// Connections beyond the limit are closed at once, and counted; others continue.
func TestMaxConnections(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true, "max_connections": 3})
	for _, protocol := range []string{"gRPC", "HTTP"} {
		transport := strings.ToLower(protocol)
		before := g.refusedBy(reasonConnections, transport)
		var conns []net.Conn
		for range 8 {
			c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", g.address(protocol))
			require.NoError(t, err)
			conns = append(conns, c)
		}
		require.Eventually(t, func() bool { return g.refusedBy(reasonConnections, transport) >= before+5 }, 10*time.Second, time.Millisecond, protocol)
		for _, c := range conns {
			require.NoError(t, c.Close())
		}
	}
	td, _ := someTraces(1, false)
	require.Eventually(t, func() bool { return g.send("grpc", "", td).status.Code() == codes.OK }, 10*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool {
		resp, err := http.Post("http://"+g.address("HTTP")+"/v1/traces", "application/x-protobuf", strings.NewReader(""))
		if err != nil {
			return false
		}
		return assert.NoError(t, resp.Body.Close()) && resp.StatusCode == http.StatusOK
	}, 10*time.Second, 10*time.Millisecond)
}

// A message that gRPC does not mark as compressed is not decompressed.
func TestGzipThatIsNotMarked(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true})
	td, _ := someTraces(1, false)
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(t, err)
	s := g.sendRaw("trace.v1.Trace", "", compress(t, "gzip", body))
	assert.Equal(t, codes.InvalidArgument, s.Code())
	var b bytes.Buffer
	require.NoError(t, gzip.NewWriter(&b).Close())
	assert.Equal(t, codes.OK, g.sendRaw("trace.v1.Trace", "gzip", nil).Code())
	assert.EqualValues(t, 1, g.refusedBy(reasonMalformed, "grpc"))
}

// FuzzDoors: any bytes through any door are accepted or refused, without a panic, and nothing stays reserved.
func FuzzDoors(f *testing.F) {
	td, _ := someTraces(2, true)
	req := ptraceotlp.NewExportRequestFromTraces(td)
	proto, err := req.MarshalProto()
	require.NoError(f, err)
	json, err := req.MarshalJSON()
	require.NoError(f, err)
	f.Add(proto)
	f.Add(json)
	md := pmetric.NewMetrics()
	metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	metrics.AppendEmpty().SetEmptyExponentialHistogram().DataPoints().AppendEmpty().Positive().BucketCounts().FromRaw([]uint64{1, 300})
	metrics.AppendEmpty().SetEmptySummary().DataPoints().AppendEmpty().QuantileValues().AppendEmpty().SetQuantile(0.5)
	m := pmetricotlp.NewExportRequestFromMetrics(md)
	proto, err = m.MarshalProto()
	require.NoError(f, err)
	json, err = m.MarshalJSON()
	require.NoError(f, err)
	f.Add(proto)
	f.Add(json)
	f.Add(within(empties(100, 1), 1, 2, 2, 5))
	f.Add([]byte(`{"resourceSpans":[null,{"scopeSpans":[{"spans":[{},{"traceId":"00"}]}]}]}`))

	r := newFuzzReceiver(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, d := range r.doors {
			for _, enc := range []*encoding{protobufEncoding, jsonEncoding} {
				_, err := r.entrance.pass(t.Context(), d, enc, (&requestBody{}).of(bytes.Clone(body)))
				if err != nil {
					s, _ := statusOf(err)
					require.NotEqual(t, codes.Internal, s.Code(), "%v", err)
				}
				require.Zero(t, r.entrance.budget.Reserved())
			}
		}
	})
}
