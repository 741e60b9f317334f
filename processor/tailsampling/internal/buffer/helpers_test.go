package buffer

import (
	"testing"

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
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shards = 4

// newBuffer returns a buffer in memory of four shards, which keeps traces with errors.
func newBuffer(t testing.TB, shared *shard.Shared) (*Buffer, *observer.ObservedLogs) {
	t.Helper()
	set, err := policy.Compile([]policy.Config{
		{Name: "errors", Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"ERROR"}}},
	}, policy.Options{})
	require.NoError(t, err)
	v, err := version.New(1, set, nil, version.NewNames())
	require.NoError(t, err)
	if shared.Pool == nil {
		shared.Pool = spanlog.NewPool(16<<20, shards)
	}
	if shared.Destinations == nil {
		shared.Destinations = []string{"next"}
	}
	shared.TraceSize, shared.ReviveUpTo = shard.MaxTraceSize, 0.6
	shared.Epoch, shared.Seed = clock.NewEpoch(), index.Seed{1, 2}
	core, logs := observer.New(zap.DebugLevel)
	b := New(shared, shards, v, zap.New(core))
	return b, logs
}

// testSpan describes a span.
type testSpan struct {
	trace  byte
	root   bool
	failed bool
	link   byte // a trace; 0 is none
}

func idOf(n byte) wire.TraceID { return wire.TraceID{n, 15: n} }

// prepare returns a request of spans in the state before the first visit.
func prepare(t testing.TB, b *Buffer, spans ...testSpan) *intake.Request {
	td := ptrace.NewTraces()
	list := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i, s := range spans {
		span := list.AppendEmpty()
		span.SetTraceID(pcommon.TraceID(idOf(s.trace)))
		span.SetSpanID(pcommon.SpanID{byte(i + 1)})
		if !s.root {
			span.SetParentSpanID(pcommon.SpanID{0xff})
		}
		if s.failed {
			span.Status().SetCode(ptrace.StatusCodeError)
		}
		if s.link != 0 {
			span.Links().AppendEmpty().SetTraceID(pcommon.TraceID(idOf(s.link)))
		}
	}
	var m ptrace.ProtoMarshaler
	bytes, err := m.MarshalTraces(td)
	require.NoError(t, err)
	r := new(wire.Request)
	require.NoError(t, r.Scan(bytes))
	in := new(intake.Request)
	in.Prepare(r, b.Members[0].Versions().Current(), b.Seed, len(b.Members))
	return in
}

// wakes reports whether the channel was woken.
func wakes(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// other returns a trace after n in another shard than n's.
func other(b *Buffer, n byte) byte {
	m, _ := b.Of(idOf(n))
	for o := n + 1; ; o++ {
		if at, _ := b.Of(idOf(o)); at != m {
			return o
		}
	}
}
