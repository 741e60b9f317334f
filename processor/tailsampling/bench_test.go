package tailsampling

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// load makes requests of realistic spans: traces of 12 spans over five services, each service's spans in a request of their own
// as SDKs send them, about 520 bytes per span, an error in 1 of 100 traces.
type load struct {
	requests []*wire.Request
	ids      [][]int // by request: offsets of the trace IDs in its bytes
	trace    uint64
	spans    int
	lag      uint64 // how many traces begin before the next service's spans of a trace follow
	patient  bool   // it sends again what is refused
}

const tracesPerRequest = 20

func newLoad(tb testing.TB) *load { return newLoadOf(tb, func(ptrace.Span, int) {}) }

// newLoadOf is newLoad, with a change made to the i-th span of each trace.
func newLoadOf(tb testing.TB, change func(s ptrace.Span, i int)) *load {
	l := &load{}
	for service := range 5 {
		td := ptrace.NewTraces()
		rs := td.ResourceSpans().AppendEmpty()
		rs.SetSchemaUrl("https://opentelemetry.io/schemas/1.27.0")
		for k, v := range map[string]string{
			"service.name": fmt.Sprintf("service-%d", service), "service.version": "1.4.2", "service.instance.id": "627cc493-f310-47de-96bd-71410b7dec09",
			"telemetry.sdk.language": "go", "telemetry.sdk.name": "opentelemetry", "telemetry.sdk.version": "1.40.0",
			"k8s.pod.name": "checkout-7d4b9c6f5d-x2x7k", "host.name": "ip-10-1-2-3.ec2.internal",
		} {
			rs.Resource().Attributes().PutStr(k, v)
		}
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp")
		ss.Scope().SetVersion("0.60.0")
		for n := range tracesPerRequest {
			for i := service; i < 12; i += 5 {
				s := ss.Spans().AppendEmpty()
				benchSpan(s, n, i)
				change(s, i)
			}
		}
		var m ptrace.ProtoMarshaler
		b, err := m.MarshalTraces(td)
		require.NoError(tb, err)
		r := &wire.Request{}
		require.NoError(tb, r.Scan(b))
		var ids []int
		for i := range r.Spans {
			body, id := r.Spans[i].Body, r.Spans[i].TraceID
			at := bytes.Index(body.Of(r.Bytes), append([]byte{0x0a, byte(len(id))}, id[:]...)) // the whole field
			require.GreaterOrEqual(tb, at, 0)
			ids = append(ids, int(body.Off)+at+2)
		}
		l.requests, l.ids = append(l.requests, r), append(l.ids, ids)
		l.spans += len(r.Spans)
	}
	return l
}

func benchSpan(s ptrace.Span, n, i int) {
	s.SetTraceID(pcommon.TraceID{0: 1, 15: byte(n)})
	s.SetSpanID(spanID(n*100 + i))
	if i > 0 {
		s.SetParentSpanID(spanID(n*100 + i/2))
	}
	s.SetName("POST /api/v1/checkout/{cart}/items")
	s.SetKind(ptrace.SpanKindServer)
	s.SetFlags(0x101)
	s.SetStartTimestamp(pcommon.Timestamp(epoch + uint64(i)*1e6))
	s.SetEndTimestamp(s.StartTimestamp() + 5e6)
	a := s.Attributes()
	a.PutStr("http.request.method", "POST")
	a.PutStr("url.path", "/api/v1/checkout/8f14e45f/items")
	a.PutStr("http.route", "/api/v1/checkout/{cart}/items")
	a.PutInt("http.response.status_code", 200)
	a.PutStr("server.address", "checkout.shop.svc.cluster.local")
	a.PutInt("server.port", 8080)
	a.PutStr("network.protocol.version", "1.1")
	a.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)")
	a.PutStr("client.address", "10.11.12.13")
	a.PutStr("enduser.id", "5d41402abc4b2a76b9719d911017c592")
	if n == 0 && i == 11 {
		s.Status().SetCode(ptrace.StatusCodeError)
	}
}

// send sends one round of requests, with new trace IDs.
func (l *load) send(tb testing.TB, p *Sampler) {
	l.trace += tracesPerRequest
	for i, r := range l.requests {
		spansPerTrace := len(r.Spans) / tracesPerRequest
		for j := range r.Spans {
			id := r.Bytes[l.ids[i][j]:][:16]
			n := (l.trace - uint64(i)*l.lag + uint64(j/spansPerTrace)) * 0x9e3779b97f4a7c15
			binary.LittleEndian.PutUint64(id, n)
			binary.LittleEndian.PutUint64(id[8:], n*31)
			r.Spans[j].TraceID = wire.TraceID(id)
		}
		ctx := wire.NewContext(context.Background(), r)
		err := p.ConsumeTraces(ctx, ptrace.NewTraces())
		for tries := 0; err != nil && l.patient && tries < 1000; tries++ {
			time.Sleep(10 * time.Millisecond)
			err = p.ConsumeTraces(ctx, ptrace.NewTraces())
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}

func benchSampler(tb testing.TB, cfg *Config) *Sampler {
	p, err := newSampler(processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop(), nil)
	require.NoError(tb, err)
	require.NoError(tb, p.Start(context.Background(), componenttest.NewNopHost()))
	return p
}

// BenchmarkConsumeTraces measures the cost per span of accepting it through the wire door, deciding it and releasing
// it, with the three default policies and about a million spans in the buffer.
func BenchmarkConsumeTraces(b *testing.B) {
	const buffered = 400_000
	b.Run("plain", func(b *testing.B) { benchConsume(b, testConfig(), buffered) })
	// As many spans again belong to traces that were not sampled and stay revivable.
	b.Run("revive half", func(b *testing.B) {
		cfg := testConfig()
		cfg.ReviveWindow = time.Hour
		benchConsume(b, cfg, buffered/2)
	})
}

func benchConsume(b *testing.B, cfg *Config, buffered uint64) {
	cfg.Policies[2].Section.(*policy.ProbabilisticConfig).SamplingPercentage = 1
	cfg.MemoryBudget, cfg.DiskBudget = 700<<20, 4<<30
	cfg.DecisionWait = time.Hour
	p := benchSampler(b, cfg)
	l := newLoad(b)
	// In the steady state every new trace makes the oldest be decided, so that the size of the buffer stays the
	// same.
	for l.trace*12 < buffered {
		l.send(b, p)
	}
	most := p.buffer.Pending.Load() / int64(len(p.buffer.Members))
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began, spans := time.Now(), 0
	for b.Loop() {
		l.send(b, p)
		spans += l.spans
		for _, m := range p.buffer.Members {
			now := p.buffer.Now()
			m.Lock()
			for m.Tally().Stats.Pending > most {
				m.DecideEarly(shard.Failed, decision.ByWait, now)
			}
			for m.Tally().Stats.Revivable > most {
				m.EvictOldest(now)
			}
			p.buffer.Leave(m)
		}
	}
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(took.Nanoseconds())/float64(spans), "ns/span")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(spans), "allocs/span")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(spans), "B/span")
	b.ReportMetric(float64(len(l.requests[0].Bytes))/float64(len(l.requests[0].Spans)), "wire-B/span")
	require.NoError(b, p.Shutdown(context.Background()))
}

// BenchmarkResident measures the resident memory of the process per buffered span.
func BenchmarkResident(b *testing.B) {
	for _, compression := range []string{compressNever, compressAlways} {
		b.Run("compression "+compression, func(b *testing.B) {
			cfg := testConfig()
			cfg.MemoryBudget, cfg.DiskBudget = 700<<20, 4<<30
			cfg.DecisionWait, cfg.Compression = time.Hour, compression
			for range min(b.N, 1) { // once: memory that an earlier round left resident would hide this one's
				p := benchSampler(b, cfg)
				l := newLoad(b)
				runtime.GC()
				before := resident(b)
				spans := 0
				for spans < 500_000 {
					l.send(b, p)
					spans += l.spans
				}
				require.Eventually(b, func() bool {
					return compression == compressNever || p.buffer.Pool.Shrinkable() == 0
				}, time.Minute, 10*time.Millisecond)
				debug.FreeOSMemory()
				b.ReportMetric(float64(resident(b)-before)/float64(spans), "rss-B/span")
				b.ReportMetric(float64(p.buffer.Pool.Used())/float64(spans), "used-B/span")
				b.ReportMetric(float64(p.buffer.Pool.Disk())/float64(spans), "disk-B/span")
				decideAll(p)
				require.NoError(b, p.Shutdown(context.Background()))
			}
		})
	}
}

// BenchmarkRecovery measures the time of a recovery.
func BenchmarkRecovery(b *testing.B) {
	cfg := testConfig()
	cfg.Storage, cfg.MemoryBudget, cfg.DiskBudget = storageDisk, 700<<20, 4<<30
	cfg.DecisionWait = time.Hour
	p := benchSampler(b, cfg)
	l := newLoad(b)
	for spans := 0; spans < 1_000_000; spans += l.spans {
		l.send(b, p)
	}
	bytes := p.buffer.Pool.Disk()
	require.NoError(b, p.Shutdown(context.Background()))
	b.SetBytes(bytes)
	for b.Loop() {
		p := benchSampler(b, cfg)
		require.Eventually(b, p.buffer.Ready, time.Minute, time.Millisecond)
		b.ReportMetric(float64(p.store.Spans.Load()), "spans")
		require.NoError(b, p.Shutdown(context.Background()))
	}
}

// resident returns the process's resident memory in bytes, where the system reports it.
func resident(tb testing.TB) int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		tb.Skip("no /proc")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	require.NoError(tb, err)
	return pages * int64(os.Getpagesize())
}

// BenchmarkDecide measures the cost of deciding and releasing a trace of twelve spans: without an explanation, with one,
// and with a shadow too.
func BenchmarkDecide(b *testing.B) {
	for _, c := range []struct {
		name   string
		change func(*Config)
	}{
		{"explain=off", func(cfg *Config) { cfg.Explain.Decisions = 0 }},
		{"explain=on", func(*Config) {}},
		{"shadow", func(cfg *Config) { cfg.Shadow = &ShadowConfig{Policies: cfg.Policies} }},
	} {
		b.Run(c.name, func(b *testing.B) {
			cfg := keepErrors(testConfig())
			cfg.Storage, cfg.MemoryBudget, cfg.DecisionWait = storageMemory, 700<<20, time.Hour
			cfg.Explain.Decisions = 20_000 // which is soon full, as in production
			c.change(cfg)
			p := benchSampler(b, cfg)
			l := newLoad(b)
			traces := int64(0)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				for range 50 {
					l.send(b, p)
				}
				traces += p.buffer.Pending.Load()
				b.StartTimer()
				for _, m := range p.buffer.Members {
					m.Lock()
					m.DecideAll(false, p.buffer.Now())
					m.Unlock()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(traces), "ns/trace")
			require.NoError(b, p.Shutdown(context.Background()))
		})
	}
}
