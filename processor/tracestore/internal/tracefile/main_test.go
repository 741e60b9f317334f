package tracefile

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
	"github.com/slowburn/slowburn/processor/tracestore/internal/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var t0 = storetest.T0

type spec = storetest.Spec

func spans(specs ...spec) ptrace.Traces { return storetest.Spans(specs...) }

func traceID(n int) pcommon.TraceID { return storetest.TraceID(n) }

// bench is a file, with a clock that tests set.
type bench struct {
	*File
	t       testing.TB
	path    string
	clock   time.Time
	evicted Evicted // in all, without Used
}

func opened(t testing.TB, change func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, path: t.TempDir() + "/traces.db", clock: t0}
	opts := Options{
		Retention: 24 * time.Hour, MaxBytes: 1 << 30, Logger: zap.NewNop(), Now: func() time.Time { return b.clock },
	}
	if change != nil {
		change(&opts)
	}
	var err error
	b.File, err = Open(b.path, opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, b.Close())
	})
	return b
}

// items returns the traces in td.
func (b *bench) items(td ptrace.Traces) (batch []Item) {
	b.t.Helper()
	k := storetest.Kept(b.t, td)
	for i, t := range k.Traces {
		otlp := k.AppendRequest(nil, t.From, t.To)
		batch = append(batch, Item{
			Digest: digest.Of(assemble.New(k).Trace(i, assemble.Options{}), b.clock),
			ID:     t.ID, Packed: record.Pack(otlp), Size: len(otlp),
		})
	}
	return batch
}

// storeNow stores the traces in td, and evicts old ones.
func (b *bench) storeNow(td ptrace.Traces) Written {
	b.t.Helper()
	done, err := b.Put(b.items(td))
	require.NoError(b.t, err)
	b.evict()
	return done
}

func (b *bench) evict() {
	b.t.Helper()
	for more := true; more; {
		n, err := b.Evict()
		require.NoError(b.t, err)
		b.evicted.Age += n.Age
		b.evicted.Bytes += n.Bytes
		b.evicted.Corrupt += n.Corrupt
		more = n.More()
	}
}

func (b *bench) maintain() {
	b.t.Helper()
	b.evict()
	require.NoError(b.t, b.Prune())
}

func (b *bench) services() map[string][]string {
	b.t.Helper()
	services, err := b.Services()
	require.NoError(b.t, err)
	return services
}

func (b *bench) trace(n int) (ptrace.Traces, digest.Meta) {
	b.t.Helper()
	spans, meta, ok, err := b.Trace(traceID(n))
	require.NoError(b.t, err)
	require.True(b.t, ok)
	return storetest.Decoded(b.t, spans), meta
}

func (b *bench) query(q Query) Result {
	b.t.Helper()
	r, _, err := b.Search(b.t.Context(), q)
	require.NoError(b.t, err)
	return r
}

// found returns the numbers of the trace IDs that a query finds, over all pages.
func (b *bench) found(q Query) (ids []int) {
	b.t.Helper()
	for {
		r := b.query(q)
		for _, s := range r.Traces {
			ids = append(ids, storetest.NumberOf(s.TraceID))
		}
		if r.NextCursor == "" {
			return ids
		}
		q.Cursor = r.NextCursor
	}
}
