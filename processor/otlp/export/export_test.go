package export_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/otlp/export"
)

// Kept traces and decoded ones arrive unchanged, whatever is configured.
func TestTracesArrive(t *testing.T) {
	for _, d := range doors() {
		t.Run(d.name, func(t *testing.T) {
			td := traces(3, 20, 1)
			want := sorted(canonical(t, td))

			b, e := d.run(t, nil)
			k := keptOf(t, td)
			k.SetAttribute(0, wire.BoolAttribute("slowburn.first", true))
			require.NoError(t, e.send(k))
			require.True(t, k.Taken())
			got, all := b.arrived()
			require.Equal(t, 24, all)
			decoded, err := k.Decode()
			require.NoError(t, err)
			require.Equal(t, sorted(canonical(t, decoded)), got)
			require.Equal(t, 1, b.requests)
			require.NoError(t, e.send(k), "what was sent is not sent again")
			require.Equal(t, 1, b.requests)

			b, e = d.run(t, nil)
			require.NoError(t, e.ConsumeTraces(t.Context(), td))
			got, _ = b.arrived()
			require.Equal(t, want, got)
		})
	}
}

// A Kept for another exporter is ignored; decoded traces beside an empty one are sent.
func TestKeptForAnotherExporter(t *testing.T) {
	for _, d := range plainDoors() {
		t.Run(d.name, func(t *testing.T) {
			b, e := d.run(t, nil)
			k := keptOf(t, traces(2))
			k.To = "otlp_grpc/another"
			ctx := wire.NewKeptContext(t.Context(), k)
			require.NoError(t, e.ConsumeTraces(ctx, ptrace.NewTraces()))
			require.NoError(t, e.ConsumeTraces(ctx, traces(1)))
			require.False(t, k.Taken())
			require.Zero(t, b.requests)

			k = &wire.Kept{To: e.id.String()}
			require.NoError(t, e.ConsumeTraces(wire.NewKeptContext(t.Context(), k), traces(3)))
			require.False(t, k.Taken())
			_, all := b.arrived()
			require.Equal(t, 3, all)
		})
	}
}

// Requests stay below max_request_size; a trace that fits is not split.
func TestRequestsAreDivided(t *testing.T) {
	const limit = 100 << 10
	for _, d := range doors() {
		t.Run(d.name, func(t *testing.T) {
			b, e := d.run(t, map[string]any{"max_request_size": "100KiB"})
			td := traces(50, 700, 120, 1, 90)
			require.NoError(t, e.send(keptOf(t, td)))
			got, all := b.arrived()
			require.Equal(t, 961, all)
			require.Equal(t, sorted(canonical(t, td)), got)
			require.Greater(t, b.requests, 4)
			for _, size := range b.sizes {
				if d.name == "http json" {
					require.LessOrEqual(t, size, 3*limit)
				} else {
					require.LessOrEqual(t, size, limit)
				}
			}
			sent, err := e.tel.GetMetric("otelcol_exporter_sent_spans")
			require.NoError(t, err)
			require.EqualValues(t, 961, sum(sent))
		})
	}
}

// doorsThatTake are one over gRPC and one over HTTP, whose backends have a size limit in bytes.
func doorsThatTake(takes int) []door {
	return []door{
		{"grpc", export.NewGRPCFactory, func(t testing.TB) *backend { return newGRPCBackend(t, grpc.MaxRecvMsgSize(takes)) },
			map[string]any{"tls": map[string]any{"insecure": true}}},
		{"http", export.NewHTTPFactory, func(t testing.TB) *backend {
			b := newHTTPBackend(t, false)
			b.answer = func(_, size int) reply {
				if size > takes {
					return reply{status: http.StatusRequestEntityTooLarge}
				}
				return reply{}
			}
			return b
		}, nil},
	}
}

// A destination with a lower limit than configured gets smaller requests, and each span once.
func TestSizeIsHalved(t *testing.T) {
	const takes = 150 << 10
	for _, d := range doorsThatTake(takes) {
		t.Run(d.name, func(t *testing.T) {
			b, e := d.run(t, nil)
			td := traces(900, 20, 500)
			require.NoError(t, e.send(keptOf(t, td)))
			got, all := b.arrived()
			require.Equal(t, 1420, all)
			require.Equal(t, sorted(canonical(t, td)), got)
			requests := b.requests
			require.NoError(t, e.send(keptOf(t, td)))
			require.LessOrEqual(t, b.requests-requests, len(b.sizes)/2+1, "the size is remembered")
			limit, err := e.tel.GetMetric("otelcol_exporter_otlp_request_limit_bytes")
			require.NoError(t, err)
			require.LessOrEqual(t, gauge(limit), int64(takes))
			require.GreaterOrEqual(t, gauge(limit), int64(64<<10))
		})
	}
}

// A span that no request can hold is trimmed; the span and a metric say so.
func TestLargeSpan(t *testing.T) {
	for _, d := range doors() {
		t.Run(d.name, func(t *testing.T) {
			b, e := d.run(t, map[string]any{"max_request_size": "1MiB"})
			td := traces(3)
			span := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(1)
			span.Attributes().PutStr("db.query.text", strings.Repeat("select 1;", 600_000))
			require.NoError(t, e.send(keptOf(t, td)))
			_, all := b.arrived()
			require.Equal(t, 3, all)
			marks := 0
			for _, td := range b.spans {
				for _, s := range td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
					if mark, is := s.Attributes().Get("slowburn.span.trimmed"); is {
						marks++
						require.Greater(t, mark.Int(), int64(4<<20))
						require.Equal(t, span.SpanID(), s.SpanID())
					}
				}
			}
			require.Equal(t, 1, marks)
			trimmed, err := e.tel.GetMetric("otelcol_exporter_otlp_trimmed_spans")
			require.NoError(t, err)
			require.EqualValues(t, 1, sum(trimmed))
			require.Equal(t, 1, e.logs.FilterMessageSnippet("trimmed").Len())
		})
	}
}

// After a failure halfway, only the rest is sent again.
func TestOnlyTheRestIsSentAgain(t *testing.T) {
	for _, d := range plainDoors() {
		t.Run(d.name, func(t *testing.T) {
			b, e := d.run(t, map[string]any{"max_request_size": "64KiB"})
			b.answer = func(request, _ int) reply {
				if request == 2 {
					return reply{grpc: status.Error(codes.Unavailable, "busy"), status: http.StatusServiceUnavailable}
				}
				return reply{}
			}
			td := traces(400, 10, 200)
			k := keptOf(t, td)
			refused := answer.Of(e.send(k))
			require.Equal(t, answer.Retry, refused.Class)
			_, some := b.arrived()
			require.Positive(t, some)
			failed, err := e.tel.GetMetric("otelcol_exporter_send_failed_spans")
			require.NoError(t, err)
			require.EqualValues(t, 610-some, sum(failed))
			require.NoError(t, e.send(k))
			got, all := b.arrived()
			require.Equal(t, 610, all, "none twice")
			require.Equal(t, sorted(canonical(t, td)), got)
		})
	}
}

func TestPartialSuccess(t *testing.T) {
	for _, d := range doors() {
		t.Run(d.name, func(t *testing.T) {
			b, e := d.run(t, nil)
			b.answer = func(int, int) reply { return reply{rejected: 2, why: "too old"} }
			k := keptOf(t, traces(5))
			require.NoError(t, e.send(k))
			require.EqualValues(t, 2, k.Rejected)
			require.Equal(t, "too old", k.RejectedReason)
			require.NoError(t, e.ConsumeTraces(t.Context(), traces(5)))
			rejected, err := e.tel.GetMetric("otelcol_exporter_otlp_rejected_spans")
			require.NoError(t, err)
			require.EqualValues(t, 4, sum(rejected))
			require.Equal(t, 1, e.logs.FilterMessage("partial success response").Len(), "at most once a minute")
		})
	}
}

// Answers are classified, over each protocol; package answer tests them all.
func TestAnswers(t *testing.T) {
	busy, err := status.New(codes.ResourceExhausted, "slow down").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(7 * time.Second)})
	require.NoError(t, err)
	for _, test := range []struct {
		name string
		reply
		want       answer.Class
		delay      time.Duration
		text       string
		requests   int
		grpc, http string
	}{
		{"refused", reply{grpc: status.Error(codes.InvalidArgument, "odd"), status: 400, body: "odd"}, answer.Data, 0, "odd", 1, "INVALID_ARGUMENT", "HTTP 400"},
		{"unauthenticated", reply{grpc: status.Error(codes.Unauthenticated, "who"), status: 401, body: "who"}, answer.Gateway, 0, "who", 1, "UNAUTHENTICATED", "HTTP 401"},
		{"internal", reply{grpc: status.Error(codes.Internal, "oops"), status: 500, body: "oops"}, answer.Either, 0, "oops", 1, "INTERNAL", "HTTP 500"},
		{"throttled", reply{grpc: busy.Err(), status: 429, body: "slow down", header: http.Header{"Retry-After": {"7"}}}, answer.Retry, 7 * time.Second, "slow down", 1, "RESOURCE_EXHAUSTED", "HTTP 429"},
		{"moved", reply{grpc: status.Error(codes.Unimplemented, "no"), status: 302, body: "no", header: http.Header{"Location": {"/login"}}}, answer.Gateway, 0, "no", 1, "UNIMPLEMENTED", "HTTP 302"},
	} {
		for _, d := range plainDoors() {
			t.Run(test.name+" "+d.name, func(t *testing.T) {
				b, e := d.run(t, nil)
				b.answer = func(int, int) reply { return test.reply }
				code := test.grpc
				if d.name == "http" {
					code = test.http
				}
				k := keptOf(t, traces(300))
				for _, err := range []error{e.send(k), e.ConsumeTraces(t.Context(), traces(1))} {
					got := answer.Of(err)
					require.Equal(t, test.want.String(), got.Class.String(), err)
					require.Equal(t, code+": "+test.text, got.Error())
					require.Equal(t, test.delay, got.Delay)
				}
				require.False(t, k.Spans[0].Sent)
				require.Equal(t, 2*test.requests, b.requests)
			})
		}
	}
}

// RESOURCE_EXHAUSTED without RetryInfo is a quota if a small request gets it too: it is retried, and in large requests.
func TestQuota(t *testing.T) {
	d := doors()[0]
	b, e := d.run(t, nil)
	exhausted := true
	b.answer = func(int, int) reply {
		if exhausted {
			return reply{grpc: status.Error(codes.ResourceExhausted, "RATE_LIMITED: ingestion rate limit exceeded")}
		}
		return reply{}
	}
	k := keptOf(t, traces(2000))
	require.Equal(t, answer.Retry, answer.Of(e.send(k)).Class)
	require.Less(t, b.requests, 10)
	b.requests, exhausted = 0, false
	require.NoError(t, e.send(k))
	require.Equal(t, 1, b.requests)
}

// A destination that refuses requests of any size gets its answer passed on.
func TestTooLargeForGood(t *testing.T) {
	for _, d := range plainDoors() {
		b, e := d.run(t, nil)
		b.answer = func(int, int) reply {
			return reply{status: 413, grpc: status.Error(codes.ResourceExhausted, "grpc: received message larger than max (65536 vs. 1)")}
		}
		require.Equal(t, answer.TooLarge, answer.Of(e.send(keptOf(t, traces(1000)))).Class)
		require.Less(t, b.requests, 10)
	}
}

// A span that cannot be trimmed is sent unchanged, and its answer is the result; other spans are still sent.
func TestSpanThatCannotBeTrimmed(t *testing.T) {
	for _, d := range doorsThatTake(100_000) {
		b, e := d.run(t, map[string]any{"max_request_size": "64KiB"})
		k := new(wire.Kept)
		resource, scope := k.AddResource(nil), k.AddScope(nil)
		for i := range byte(3) {
			k.Begin(wire.KeptTrace{ID: wire.TraceID{i + 1}})
			span := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), append([]byte{i + 1}, make([]byte, 15)...))
			if i == 2 { // a field of a future version
				span = protowire.AppendBytes(protowire.AppendTag(span, 99, protowire.BytesType), make([]byte, 1<<20))
			}
			k.AddSpan(span, resource, scope)
			_, err := k.Arrange(int(i))
			require.NoError(t, err)
		}
		require.Equal(t, answer.TooLarge, answer.Of(e.send(k)).Class)
		_, all := b.arrived()
		require.Equal(t, 2, all)
	}
}

func TestUnreachableDestination(t *testing.T) {
	for name, f := range map[string]func(endpoint string) running{
		"grpc": func(endpoint string) running {
			return run(t, export.NewGRPCFactory(), componenttest.NewNopHost(), map[string]any{"endpoint": endpoint, "tls": map[string]any{"insecure": true}})
		},
		"http": func(endpoint string) running {
			return run(t, export.NewHTTPFactory(), componenttest.NewNopHost(), map[string]any{"endpoint": "http://" + endpoint})
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := answer.Of(f("127.0.0.1:1").send(keptOf(t, traces(1))))
			assert.Equal(t, answer.Retry, got.Class)
			assert.Contains(t, got.Text, "connection refused")
		})
	}
}

// A request that hangs ends at its timeout.
func TestTimeout(t *testing.T) {
	for _, d := range plainDoors() {
		t.Run(d.name, func(t *testing.T) {
			b, e := d.run(t, map[string]any{"timeout": "50ms"})
			release := make(chan struct{})
			b.answer = func(int, int) reply {
				<-release
				return reply{}
			}
			got := answer.Of(e.send(keptOf(t, traces(1))))
			close(release)
			require.Equal(t, answer.Retry, got.Class)

			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			k := keptOf(t, traces(1))
			k.To = e.id.String()
			require.Equal(t, answer.Retry, answer.Of(e.ConsumeTraces(wire.NewKeptContext(ctx, k), ptrace.NewTraces())).Class)
		})
	}
}

func sum(m metricdata.Metrics) (total int64) {
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		total += p.Value
	}
	return total
}

func gauge(m metricdata.Metrics) int64 { return m.Data.(metricdata.Gauge[int64]).DataPoints[0].Value }
