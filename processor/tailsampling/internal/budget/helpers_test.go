package budget

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// never is no deadline.
var never = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// setup is a buffer with its budget, which keeps traces that are slow or have an error.
type setup struct {
	*Budget
	t        *testing.T
	logs     *observer.ObservedLogs
	relieved int
	path     string // of the directory; empty in memory
	stop     chan struct{}
	running  sync.WaitGroup
}

func ptr[T any](v T) *T { return &v }

func newSetup(t *testing.T, shards int, s Settings, destinations ...string) *setup {
	t.Helper()
	set, err := policy.Compile([]policy.Config{
		{Name: "errors", Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"ERROR"}}},
		{Name: "slow", Type: policy.Latency, Section: &policy.LatencyConfig{ThresholdMs: ptr(int64(1000))}},
	}, policy.Options{})
	require.NoError(t, err)
	v, err := version.New(1, set, nil, version.NewNames())
	require.NoError(t, err)
	shared := &shard.Shared{
		Destinations: append([]string{"next"}, destinations...)[min(1, len(destinations)):],
		Waits:        shard.Waits{Decision: time.Hour, Revive: time.Hour}, TraceSize: shard.MaxTraceSize, ReviveUpTo: 1, Mapped: s.OnDisk,
		Pool: spanlog.NewPool(int64(shards)<<20, shards), Epoch: clock.NewEpoch(), Seed: index.Seed{1, 2},
	}
	if s.OnDisk {
		shared.Pool = spanlog.NewDiskPool(int64(shards)<<20, int64(shards)<<20, shards)
	}
	core, logs := observer.New(zap.DebugLevel)
	b := buffer.New(shared, shards, v, zap.New(core))
	b.SetReady()
	out := &setup{t: t, logs: logs}
	if s.OnDisk {
		out.open(b)
	}
	s.Relieved = func() { out.relieved++ }
	out.Budget = New(b, s)
	return out
}

func (s *setup) open(b *buffer.Buffer) {
	s.path = s.t.TempDir()
	dir, err := spanlog.OpenDirectory(s.path)
	require.NoError(s.t, err)
	b.Pool.Open(dir, spanlog.Seed(b.Seed), 0)
	for i, m := range b.Members {
		m.OpenFiles(spanlog.New(b.Pool, i), spanlog.NewJournal(b.Pool, i, spanlog.Names{Policies: []string{"", "errors", "slow"}}), 0)
	}
	s.t.Cleanup(func() { require.NoError(s.t, dir.Close()) })
}

// run makes room on demand, until the setup is closed.
func (s *setup) run() {
	s.stop = make(chan struct{})
	s.running.Go(func() { s.Relieve(s.stop) })
}

func (s *setup) close() {
	if s.stop != nil {
		close(s.stop)
	}
	s.running.Wait()
	s.buffer.Close()
	s.pool.Close()
}

// testSpan describes a span, alone in its request.
type testSpan struct {
	trace        byte
	failed, slow bool
	bytes        int    // of its name
	text         string // that its name repeats; x by default
}

func (s *setup) request(spans ...testSpan) *wire.Request {
	td := ptrace.NewTraces()
	list := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i, spec := range spans {
		span := list.AppendEmpty()
		span.SetTraceID(pcommon.TraceID{spec.trace})
		span.SetSpanID(pcommon.SpanID{byte(i + 1)})
		span.SetParentSpanID(pcommon.SpanID{0xff})
		text := spec.text
		if text == "" {
			text = "x"
		}
		span.SetName(strings.Repeat(text, spec.bytes/len(text)+1)[:spec.bytes])
		span.SetStartTimestamp(1)
		span.SetEndTimestamp(2)
		if spec.slow {
			span.SetEndTimestamp(5e9)
		}
		if spec.failed {
			span.Status().SetCode(ptrace.StatusCodeError)
		}
	}
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(s.t, err)
	r := new(wire.Request)
	require.NoError(s.t, r.Scan(b))
	return r
}

// add accepts spans as the sampler does, without making room.
func (s *setup) add(spans ...testSpan) {
	s.t.Helper()
	r := s.request(spans...)
	need, large := s.Size(r)
	require.NoError(s.t, s.pool.Reserve(need, large))
	defer s.pool.Cancel(need)
	var in intake.Request
	in.Prepare(r, s.buffer.Members[0].Versions().Current(), s.buffer.Seed, len(s.buffer.Members))
	require.NoError(s.t, s.buffer.Add(&in, never))
}

// decide decides all pending traces.
func (s *setup) decide() {
	for _, m := range s.buffer.Members {
		m.Lock()
		for m.DecideEarly(shard.Failed, 0, s.buffer.Now()) > 0 {
		}
		s.buffer.Leave(m)
	}
}

// settle updates the pool's count of the indexes, so that only segments change its use.
func (s *setup) settle() {
	for _, m := range s.buffer.Members {
		m.Lock()
		s.buffer.Leave(m)
	}
}

// over makes the pool exceed a share of the memory budget by a number of bytes, with a further request included.
func (s *setup) over(share float64, more, bytes int64) {
	s.settle()
	s.pool.Grow(bytes - s.pool.OverMemory(more, share))
}

// isPending reports whether a trace waits for its decision.
func (s *setup) isPending(trace byte) bool {
	id := wire.TraceID{trace}
	m, hash := s.buffer.Of(id)
	m.Lock()
	defer m.Unlock()
	_, pending := m.Known().Pending(hash, &id, s.buffer.Now())
	return pending
}
