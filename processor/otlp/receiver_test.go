package otlp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/slowburn/slowburn/internal/brief"
	"github.com/slowburn/slowburn/internal/host"
)

// onAndOff runs a test with the wire path on and off: a sender must see no difference.
func onAndOff(t *testing.T, test func(t *testing.T, wirePath bool)) {
	for _, on := range []bool{true, false} {
		t.Run(fmt.Sprintf("wire_path=%t", on), func(t *testing.T) { test(t, on) })
	}
}

func TestAcceptsSpansThroughEveryDoor(t *testing.T) {
	onAndOff(t, func(t *testing.T, on bool) {
		g := start(t, map[string]any{"wire_path": on})
		calls := 0
		for _, door := range doors {
			for _, compression := range []string{"", "gzip", "zstd", "snappy"} {
				t.Run(door+" "+compression, func(t *testing.T) {
					td, ids := someTraces(100, false)
					got := g.send(door, compression, td)
					assert.Equal(t, codes.OK, got.status.Code(), got.status)
					assert.Zero(t, got.rejected)
					assert.ElementsMatch(t, ids, g.take())
					calls++
				})
			}
		}
		if on {
			assert.Equal(t, calls, g.wireSeen)
		} else {
			assert.Zero(t, g.wireSeen)
		}
	})
}

func TestRejectsInvalidIDs(t *testing.T) {
	onAndOff(t, func(t *testing.T, on bool) {
		g := start(t, map[string]any{"wire_path": on})
		for _, door := range doors {
			td, ids := someTraces(3, true)
			got := g.send(door, "", td)
			assert.Equal(t, codes.OK, got.status.Code(), door)
			assert.EqualValues(t, 2, got.rejected, door)
			assert.Contains(t, got.message, "zero trace ID or span ID")
			assert.Len(t, g.take(), len(ids), door)

			td, _ = someTraces(0, true)
			got = g.send(door, "", td)
			assert.EqualValues(t, 2, got.rejected, door)
			assert.Empty(t, g.take(), door)
		}
		g.counts("http", 6, 8)
		g.counts("grpc", 3, 4)
	})
}

// counts checks the receiver's own telemetry for the protocol.
func (g *gateway) counts(transport string, accepted, refused int64) {
	g.t.Helper()
	for name, want := range map[string]int64{"otelcol_receiver_accepted_spans": accepted, "otelcol_receiver_refused_spans": refused} {
		m, err := g.tel.GetMetric(name)
		require.NoError(g.t, err)
		found := false
		for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
			if v, _ := p.Attributes.Value(attribute.Key("transport")); v.AsString() == transport {
				assert.Equal(g.t, want, p.Value, "%s over %s", name, transport)
				found = true
			}
		}
		assert.True(g.t, found, "%s over %s", name, transport)
	}
}

func TestAnswersErrorsOfThePipeline(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name  string
		err   error
		code  int
		grpc  codes.Code
		retry string // Retry-After
	}{
		{"back-pressure", boom, 429, codes.ResourceExhausted, "1"},
		{"permanent", consumererror.NewPermanent(boom), 500, codes.Internal, ""},
		{"deadline", fmt.Errorf("append: %w", context.DeadlineExceeded), 503, codes.Unavailable, "1"},
		{"cancelled", context.Canceled, 503, codes.Unavailable, "1"},
		{"gRPC status", consumererror.NewOTLPGRPCError(boom, status.New(codes.PermissionDenied, "boom")), 403, codes.PermissionDenied, ""},
		{"HTTP status", consumererror.NewOTLPHTTPError(boom, 503), 503, codes.Unavailable, "1"},
		{"too large for good", consumererror.NewPermanent(consumererror.NewOTLPHTTPError(boom, 413)), 413, codes.InvalidArgument, ""},
		{"plain status", status.Error(codes.InvalidArgument, "boom"), 400, codes.InvalidArgument, ""},
		{"retryable", consumererror.NewRetryableError(boom), 503, codes.Unavailable, "1"},
		{"permanent but with a retryable status", consumererror.NewPermanent(status.Error(codes.Unavailable, "boom")), 500, codes.Internal, ""},
	}
	onAndOff(t, func(t *testing.T, on bool) {
		g := start(t, map[string]any{"wire_path": on})
		for _, tt := range tests {
			for _, door := range doors {
				t.Run(tt.name+" "+door, func(t *testing.T) {
					g.err = tt.err
					td, _ := someTraces(1, false)
					got := g.send(door, "", td)
					assert.Equal(t, tt.grpc, got.status.Code(), got.status)
					assert.NotEmpty(t, got.status.Message())
					_, told := retryDelay(got.status)
					assert.Equal(t, tt.retry != "", told, "RetryInfo")
					if door != "grpc" {
						assert.Equal(t, tt.code, got.code)
						assert.Equal(t, tt.retry, got.retryAfter)
						assert.Contains(t, got.encoding, door)
					}
				})
			}
		}
	})
}

// A client's text comes back to it cut, through every door.
func TestAnswersAreBrief(t *testing.T) {
	g := start(t, map[string]any{"wire_path": true})
	long := strings.Repeat("é", 8<<20)
	for _, err := range []error{
		errors.New(long), consumererror.NewPermanent(errors.New(long)), status.Error(codes.InvalidArgument, long),
		consumererror.NewOTLPHTTPError(errors.New(long), 503),
	} {
		for _, door := range doors {
			g.err = err
			td, _ := someTraces(1, false)
			got := g.send(door, "", td)
			assert.LessOrEqual(t, len(got.status.Message()), brief.Answer+64, door)
			assert.Contains(t, got.status.Message(), "bytes more)", door)
		}
	}
}

// announced is an extension that the receiver announces itself to.
type announced struct {
	component.StartFunc
	component.ShutdownFunc
	up map[component.ID]any
}

func (a *announced) ComponentStarted(id component.ID, c any) { a.up[id] = c }
func (a *announced) ComponentStopped(id component.ID, _ any) { delete(a.up, id) }

type extensions map[component.ID]component.Component

func (e extensions) GetExtensions() map[component.ID]component.Component { return e }

func TestAnnouncesItself(t *testing.T) {
	g := start(t, nil)
	a := &announced{up: map[component.ID]any{}}
	h := extensions{component.MustNewID("web"): a}
	cfg := *g.recv.cfg
	r := &otlpReceiver{cfg: &cfg, set: g.recv.set, budget: g.recv.budget, forget: func() {}, metrics: g.metrics}
	require.NoError(t, r.Start(t.Context(), h))
	require.Len(t, a.up, 1)
	prober, ok := a.up[g.recv.set.ID].(host.Prober)
	require.True(t, ok)
	health := prober.Probe(t.Context())
	assert.True(t, health.OK)
	assert.Regexp(t, `^listening: gRPC on 127\.0\.0\.1:\d+, HTTP on 127\.0\.0\.1:\d+$`, health.Message)

	require.NoError(t, r.Shutdown(t.Context()))
	assert.Empty(t, a.up)
	assert.Equal(t, host.Health{Blocking: true, Message: "not listening: the receiver has not started or is shutting down"}, r.Probe(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()), "again, for the other signal")
}

func TestStartFailsWhole(t *testing.T) {
	g := start(t, nil)
	cfg := *g.recv.cfg
	cfg.Protocols.HTTP.Get().ServerConfig.NetAddr.Endpoint = g.address("HTTP") // in use
	forgotten := false
	r := &otlpReceiver{cfg: &cfg, set: g.recv.set, budget: g.recv.budget, forget: func() { forgotten = true }, metrics: g.metrics}
	require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), "address already in use")
	assert.False(t, r.Probe(t.Context()).OK)
	assert.True(t, forgotten)
}

func TestShutdownLetsRequestsEnd(t *testing.T) {
	for _, door := range doors {
		t.Run(door, func(t *testing.T) {
			g := start(t, map[string]any{"wire_path": true})
			entered, leave := make(chan struct{}), make(chan struct{})
			g.onSpans = func(context.Context) { close(entered); <-leave }
			answered := make(chan answer, 1)
			go func() {
				td, _ := someTraces(1, false)
				answered <- g.send(door, "", td)
			}()
			<-entered
			down := make(chan error, 1)
			go func() { down <- g.recv.Shutdown(context.Background()) }()
			select {
			case <-down:
				t.Fatal("shut down with a request in flight")
			case <-answered:
				t.Fatal("answered before the pipeline")
			default:
			}
			close(leave)
			assert.Equal(t, codes.OK, (<-answered).status.Code())
			require.NoError(t, <-down)
			assert.Len(t, g.take(), 1)
		})
	}
}

func TestShutdownGivesUpWithItsContext(t *testing.T) {
	g := start(t, nil)
	entered := make(chan struct{})
	g.onSpans = func(ctx context.Context) { close(entered); <-ctx.Done() }
	answered := make(chan answer, 1)
	go func() {
		td, _ := someTraces(1, false)
		answered <- g.send("grpc", "", td)
	}()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, g.recv.Shutdown(ctx))
	assert.NotEqual(t, codes.OK, (<-answered).status.Code())
}

// The Collector does not limit a shutdown, so a client that sends half a request must not delay it.
func TestShutdownCutsOffRequestsThatDoNotEnd(t *testing.T) {
	const export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
	for door, begin := range map[string]func(*gateway){
		"http": func(g *gateway) {
			c, err := net.Dial("tcp", g.address("HTTP"))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, c.Close()) })
			_, err = fmt.Fprintf(c, "POST /v1/traces HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"+
				"Content-Type: application/x-protobuf\r\nContent-Length: 100\r\n\r\n")
			require.NoError(t, err)
			_, err = c.Read(make([]byte, 1)) // of "100 Continue": the body is being read
			require.NoError(t, err)
		},
		"grpc": func(g *gateway) {
			stream, err := g.grpc.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, export)
			require.NoError(t, err)
			require.NoError(t, stream.Context().Err())
		},
	} {
		t.Run(door, func(t *testing.T) {
			g := start(t, nil)
			begin(g)
			g.recv.grace = 10 * time.Millisecond
			require.NoError(t, g.recv.Shutdown(context.Background()))
		})
	}
}

// gate is an authenticator that requires the header `key: open`.
type gate struct {
	component.StartFunc
	component.ShutdownFunc
}

func (gate) Authenticate(ctx context.Context, sources map[string][]string) (context.Context, error) {
	for name, values := range sources {
		if strings.EqualFold(name, "key") && slices.Equal(values, []string{"open"}) {
			return ctx, nil
		}
	}
	return ctx, errors.New("no key")
}

// TestAuthenticates checks that the receiver's own gRPC service runs the interceptors that configgrpc set up, as confighttp's
// handlers run before ours.
func TestAuthenticates(t *testing.T) {
	auth := map[string]any{"auth": map[string]any{"authenticator": "gate"}}
	h := extensions{component.MustNewID("gate"): gate{}}
	g := startIn(t, h, map[string]any{"wire_path": true, "protocols": map[string]any{"grpc": auth, "http": auth}})
	for _, door := range doors {
		td, _ := someTraces(1, false)
		got := g.send(door, "", td)
		assert.Equal(t, codes.Unauthenticated, got.status.Code(), door)
		if door != "grpc" {
			assert.Equal(t, http.StatusUnauthorized, got.code)
			assert.Contains(t, got.encoding, door)
		}
	}
	assert.Empty(t, g.take())

	td, _ := someTraces(1, false)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "key", "open")
	_, err := ptraceotlp.NewGRPCClient(g.grpc).Export(ctx, ptraceotlp.NewExportRequestFromTraces(td))
	require.NoError(t, err)
	assert.Len(t, g.take(), 1)
}

// reporting is a host that records the reported status of components.
type reporting struct {
	component.Host
	events chan *componentstatus.Event
}

func (r reporting) Report(e *componentstatus.Event) { r.events <- e }

func TestFailingListenerIsReported(t *testing.T) {
	boom, closed := errors.New("boom"), errors.New("closed")
	for _, end := range []error{boom, closed, nil} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		h := reporting{componenttest.NewNopHost(), make(chan *componentstatus.Event, 1)}
		r := &otlpReceiver{cfg: &Config{}, set: receivertest.NewNopSettings(NewFactory().Type()), hosts: []component.Host{h}}
		r.mu.Lock()
		r.serve("gRPC", false, l, func(net.Listener) error { return end }, closed)
		r.mu.Unlock()
		r.serving.Wait()
		health := r.Probe(t.Context())
		assert.Equal(t, !errors.Is(end, boom), health.OK)
		if errors.Is(end, boom) {
			assert.Regexp(t, `listener failed: gRPC on 127\.0\.0\.1:\d+: boom`, health.Message)
			assert.Equal(t, componentstatus.StatusFatalError, (<-h.events).Status())
		}
		require.NoError(t, l.Close())
	}
}
