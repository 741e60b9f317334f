package tailsampling

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// epoch is the start of the tests' traces.
const epoch = uint64(1_700_000_000_000_000_000)

// spanOf is a span with its resource and scope, alone in a Traces.
type spanOf struct{ td ptrace.Traces }

func (s spanOf) span() ptrace.Span {
	return s.td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
}

// traceID is the ID of the n-th trace of a test.
func traceID(n int) pcommon.TraceID {
	var id pcommon.TraceID
	binary.BigEndian.PutUint64(id[:8], uint64(n)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(id[8:], uint64(n+1)*0xbf58476d1ce4e5b9)
	return id
}

// newSpan returns the i-th span of the n-th trace; i = 0 is the root. It has every field that a span can have.
func newSpan(n, i int) spanOf {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	service := fmt.Sprintf("service-%d", i%4)
	rs.SetSchemaUrl("https://schemas.test/resource/" + service)
	rs.Resource().Attributes().PutStr("service.name", service)
	rs.Resource().SetDroppedAttributesCount(uint32(i % 4))
	ss := rs.ScopeSpans().AppendEmpty()
	ss.SetSchemaUrl("https://schemas.test/scope")
	ss.Scope().SetName(fmt.Sprintf("library-%d", i%3))
	ss.Scope().SetVersion("1.2")
	ss.Scope().Attributes().PutBool("scoped", true)
	s := ss.Spans().AppendEmpty()
	s.SetTraceID(traceID(n))
	s.SetSpanID(spanID(i))
	if i > 0 {
		s.SetParentSpanID(spanID(i / 2))
	}
	s.SetName(fmt.Sprintf("operation %d", i))
	s.SetKind(ptrace.SpanKind(1 + i%5))
	s.SetFlags(0x301)
	s.TraceState().FromRaw("vendor=a,other=b")
	s.SetStartTimestamp(pcommon.Timestamp(epoch + uint64(n)*1e9 + uint64(i)*1e6))
	s.SetEndTimestamp(s.StartTimestamp() + 5e6)
	s.Attributes().PutStr("http.route", "/items/{id}")
	s.Attributes().PutInt("http.response.status_code", int64(200+i))
	s.Attributes().PutEmptySlice("list").AppendEmpty().SetDouble(1.5)
	s.SetDroppedAttributesCount(1)
	event := s.Events().AppendEmpty()
	event.SetName("exception")
	event.SetTimestamp(s.StartTimestamp() + 1)
	event.Attributes().PutStr("exception.type", "E")
	link := s.Links().AppendEmpty()
	link.SetTraceID(traceID(n + 1))
	link.SetSpanID(spanID(i))
	link.TraceState().FromRaw("linked=1")
	link.SetFlags(0x100)
	return spanOf{td}
}

func spanID(i int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], uint64(i+1))
	return id
}

func (s spanOf) fail() spanOf {
	s.span().Status().SetCode(ptrace.StatusCodeError)
	s.span().Status().SetMessage("broken")
	return s
}

// newTrace returns the n-th trace with the given number of spans; if failed, the last one has an error.
func newTrace(n, spans int, failed bool) []spanOf {
	var out []spanOf
	for i := range spans {
		out = append(out, newSpan(n, i))
	}
	if failed {
		out[spans-1].fail()
	}
	return out
}

// request puts spans into one Traces: each in a ResourceSpans of its own, as some SDKs' exporters do, or adjacent spans of one
// resource together.
func request(spans ...spanOf) ptrace.Traces {
	td := ptrace.NewTraces()
	for _, s := range spans {
		s.td.ResourceSpans().At(0).CopyTo(td.ResourceSpans().AppendEmpty())
	}
	return td
}

// pad makes a span larger by a number of bytes.
func (s spanOf) pad(bytes int) spanOf {
	s.span().Attributes().PutEmptyBytes("pad").Append(make([]byte, bytes)...)
	return s
}

// door is a way into the processor.
type door func(t testing.TB, p *Sampler, td ptrace.Traces) error

func pdataDoor(_ testing.TB, p *Sampler, td ptrace.Traces) error {
	return p.ConsumeTraces(context.Background(), td)
}

func wireDoor(t testing.TB, p *Sampler, td ptrace.Traces) error {
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	var r wire.Request
	require.NoError(t, r.Scan(b))
	err = p.ConsumeTraces(wire.NewContext(context.Background(), &r), ptrace.NewTraces())
	clear(b) // the caller may reuse its bytes
	clear(r.Spans)
	return err
}

// sink is a next component that keeps what it accepts.
type sink struct {
	mu      sync.Mutex
	calls   int
	batches []ptrace.Traces
	// accept, if set, decides the result of a call. It is called without the mutex.
	accept func(ctx context.Context, call int, td ptrace.Traces) error
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

func (s *sink) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	s.mu.Lock()
	call := s.calls
	s.calls++
	s.mu.Unlock()
	if s.accept != nil {
		if err := s.accept(ctx, call, td); err != nil {
			td.ResourceSpans().RemoveIf(func(ptrace.ResourceSpans) bool { return true }) // a consumer may do that
			return err
		}
	}
	spread(td)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, td)
	return nil
}

// spread copies the marks on scopes to their spans, where they are simpler to compare.
func spread(td ptrace.Traces) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			ss.Scope().Attributes().RemoveIf(func(key string, value pcommon.Value) bool {
				if !strings.HasPrefix(key, "tailsampling.") {
					return false
				}
				for _, span := range ss.Spans().All() {
					value.CopyTo(span.Attributes().PutEmpty(key))
				}
				return true
			})
		}
	}
}

// traces returns the accepted traces, each with its parts, one Traces per part.
func (s *sink) traces() map[pcommon.TraceID][]ptrace.Traces {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := map[pcommon.TraceID][]ptrace.Traces{}
	for _, td := range s.batches {
		parts := map[pcommon.TraceID]ptrace.Traces{}
		for _, rs := range td.ResourceSpans().All() {
			id := rs.ScopeSpans().At(0).Spans().At(0).TraceID()
			part, ok := parts[id]
			if !ok {
				part = ptrace.NewTraces()
				parts[id] = part
				got[id] = append(got[id], part)
			}
			rs.CopyTo(part.ResourceSpans().AppendEmpty())
		}
	}
	return got
}

func (s *sink) spans() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, td := range s.batches {
		n += td.SpanCount()
	}
	return n
}

// testConfig keeps traces with errors, slow ones, and a tenth of the rest.
func testConfig() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.DecisionWait = 10 * time.Second
	cfg.NumShards = 4
	cfg.MemoryBudget = 16 << 20
	cfg.Storage = storageUnderTest
	cfg.Directory = newDirectory()
	cfg.DiskBudget = 256 << 20
	cfg.Compression = compressNever // so that the buffer has the bytes that were sent
	cfg.Policies = []policy.Config{
		{Name: "errors", Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"ERROR"}}},
		{Name: "slow", Type: policy.Latency, Section: &policy.LatencyConfig{ThresholdMs: ptr(int64(1000))}},
		{Name: "rest", Type: policy.Probabilistic, Section: &policy.ProbabilisticConfig{SamplingPercentage: 10}},
	}
	return cfg
}

// squeeze gives a processor little room, without giving up any of it.
func squeeze(cfg *Config, shards int, bytes units.Size) {
	cfg.WhenFull = fullRefuse
	cfg.NumShards, cfg.MemoryBudget, cfg.DiskBudget = shards, bytes, max(bytes, units.Size(2*shards*spanlog.MinBytesPerShard))
}

func ptr[T any](v T) *T { return &v }

// keepAll is a policy for tests of other parts.
func keepAll(cfg *Config) *Config {
	cfg.Policies = []policy.Config{{Name: "all", Type: policy.AlwaysSample}}
	return cfg
}

// keepErrors keeps only traces with an error.
func keepErrors(cfg *Config) *Config {
	cfg.Policies = cfg.Policies[:1]
	return cfg
}

// start runs a processor, which the test must shut down.
func start(t testing.TB, cfg *Config, next consumer.Traces) *Sampler {
	t.Helper()
	require.NoError(t, cfg.Validate())
	p, err := newSampler(processortest.NewNopSettings(metadata.Type), cfg, next, nil)
	require.NoError(t, err)
	require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
	if p.store != nil {
		p.store.Wait() // Start waits for at most recoveryTimeout
	}
	return p
}

func shutdown(t testing.TB, p *Sampler) {
	t.Helper()
	decideAll(p)
	require.NoError(t, p.Shutdown(context.Background()))
	require.Zero(t, p.buffer.Pool.Used(), "memory left after the shutdown")
}

// decideAll decides traces that a shutdown would leave on disk, so that tests need not care about the
// storage.
func decideAll(p *Sampler) {
	if p.store != nil && p.buffer.Ready() {
		decideNow(p)
	}
}

// decideNow decides all pending traces.
func decideNow(p *Sampler) {
	for _, m := range p.buffer.Members {
		m.Lock()
		m.DecideAll(false, p.buffer.Now())
		p.buffer.Leave(m)
	}
}

// sum returns the sum of the shards' counters.
func sum(p *Sampler) *tally.Stats {
	all := p.buffer.Sum()
	return &all
}

// isPending reports whether a trace waits for its decision.
func isPending(p *Sampler, n int) bool {
	e, known := p.Explain(traceID(n))
	return known && e.State == StatePending
}

// runEvery is the decider's interval, and gatherFor the senders' wait for a fuller batch.
const (
	runEvery  = 10 * time.Millisecond
	gatherFor = 100 * time.Millisecond
)

// lost returns how many of n undelivered spans a shutdown loses.
func lost(spans int64) int64 {
	if storageUnderTest == storageDisk {
		return 0
	}
	return spans
}

func shuffled(rnd *rand.Rand, spans []spanOf) []spanOf {
	out := append([]spanOf(nil), spans...)
	rnd.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func newSamplerForTest(cfg *Config) (*Sampler, error) {
	return newSampler(processortest.NewNopSettings(metadata.Type), cfg, &sink{}, nil)
}
