package tracestore

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/tracestore/internal/metadata"
	"github.com/slowburn/slowburn/processor/tracestore/internal/metadatatest"
)

var t0 = time.Date(2025, 9, 1, 12, 0, 0, 0, time.UTC)

// bench is a store without its writer goroutine: tests write when they say so, and move its clock.
type bench struct {
	*store
	t     *testing.T
	tel   *componenttest.Telemetry
	clock time.Time
}

func newBench(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	cfg.Directory = t.TempDir()
	if change != nil {
		change(cfg)
	}
	b := &bench{t: t, tel: componenttest.NewTelemetry(), clock: t0}
	set := metadatatest.NewSettings(b.tel)
	set.ID = component.NewID(metadata.Type)
	var err error
	b.store, err = newStore(set, cfg)
	require.NoError(t, err)
	b.now = func() time.Time { return b.clock }
	t.Cleanup(func() {
		b.close()
		b.codec.close()
		require.NoError(t, b.tel.Shutdown(context.Background()))
	})
	return b
}

// opened is a bench whose file is open.
func opened(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	b := newBench(t, change)
	b.open()
	require.True(t, b.Probe(t.Context()).OK, b.Probe(t.Context()).Message)
	return b
}

// store consumes the traces and writes them.
func (b *bench) storeNow(td ptrace.Traces) {
	b.t.Helper()
	require.NoError(b.t, b.consume(b.t.Context(), td))
	b.drain()
}

func (b *bench) search(q Query) Result {
	b.t.Helper()
	r, err := b.Search(b.t.Context(), q)
	require.NoError(b.t, err)
	return r
}

// found are the trace IDs that a query finds, by their numbers, over all pages.
func (b *bench) found(q Query) (ids []int) {
	b.t.Helper()
	for {
		r := b.search(q)
		for _, s := range r.Traces {
			ids = append(ids, numberOf(b.t, s.TraceID))
		}
		if r.NextCursor == "" {
			return ids
		}
		q.Cursor = r.NextCursor
	}
}

// spec says what a span is; the zero value is a root that lasts no time at t0.
type spec struct {
	trace, id, parent int
	service, name     string
	start, duration   time.Duration
	failed            bool
	policy            string
	late              bool
	link              int
}

func traceID(n int) (id pcommon.TraceID) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

func numberOf(t *testing.T, id string) int {
	t.Helper()
	var n int
	for _, c := range id[16:] {
		n = n*16 + map[bool]int{true: int(c - '0'), false: int(c-'a') + 10}[c <= '9']
	}
	return n
}

func spans(specs ...spec) ptrace.Traces {
	td := ptrace.NewTraces()
	for _, p := range specs {
		rs := td.ResourceSpans().AppendEmpty()
		rs.SetSchemaUrl("https://example.test/resource")
		rs.Resource().Attributes().PutStr("service.name", p.service)
		rs.Resource().Attributes().PutStr("host.name", p.service+"-host")
		ss := rs.ScopeSpans().AppendEmpty()
		ss.SetSchemaUrl("https://example.test/scope")
		ss.Scope().SetName("scope")
		s := ss.Spans().AppendEmpty()
		s.SetTraceID(traceID(p.trace))
		s.SetSpanID(spanID(p.id))
		s.SetParentSpanID(spanID(p.parent))
		s.SetName(p.name)
		s.SetKind(ptrace.SpanKindInternal)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(t0.Add(p.start)))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(t0.Add(p.start + p.duration)))
		if p.failed {
			s.Status().SetCode(ptrace.StatusCodeError)
		}
		if p.policy != "" {
			s.Attributes().PutStr("tailsampling.policy", p.policy)
		}
		if p.late {
			s.Attributes().PutBool("tailsampling.cached_decision", true)
		}
		if p.link != 0 {
			l := s.Links().AppendEmpty()
			l.SetTraceID(traceID(p.link))
			l.SetSpanID(spanID(1))
		}
	}
	return td
}

func spanID(n int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], uint64(n))
	return id
}

func bytesOf(t *testing.T, td ptrace.Traces) []byte {
	t.Helper()
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	return b
}
