package tracestore

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/tracestore/internal/metadata"
	"github.com/slowburn/slowburn/processor/tracestore/internal/metadatatest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/storetest"
)

var t0 = storetest.T0

type spec = storetest.Spec

func spans(specs ...spec) ptrace.Traces { return storetest.Spans(specs...) }

func traceID(n int) pcommon.TraceID { return storetest.TraceID(n) }

// bench is a store without its writer goroutine: tests run the writer, and set its clock.
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
	b.writer.options.Now = b.now
	t.Cleanup(func() {
		b.writer.close()
		require.NoError(t, b.tel.Shutdown(context.Background()))
	})
	return b
}

// opened returns a bench with an open file.
func opened(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	b := newBench(t, change)
	b.writer.open()
	require.True(t, b.Probe(t.Context()).OK, b.Probe(t.Context()).Message)
	return b
}

// storeNow stores the traces.
func (b *bench) storeNow(td ptrace.Traces) {
	b.t.Helper()
	require.NoError(b.t, b.tryNow(td))
}

// tryNow queues the traces, writes the queue, and returns the answer.
func (b *bench) tryNow(td ptrace.Traces) error {
	b.t.Helper()
	c, err := b.enqueue(b.t.Context(), td)
	if err != nil {
		return err
	}
	b.writer.drain()
	<-c.done
	return c.err
}

func (b *bench) search(q Query) Result {
	b.t.Helper()
	r, err := b.Search(b.t.Context(), q)
	require.NoError(b.t, err)
	return r
}

// found returns the numbers of the trace IDs that a query finds, over all pages.
func (b *bench) found(q Query) (ids []int) {
	b.t.Helper()
	for {
		r := b.search(q)
		for _, s := range r.Traces {
			ids = append(ids, storetest.NumberOf(s.TraceID))
		}
		if r.NextCursor == "" {
			return ids
		}
		q.Cursor = r.NextCursor
	}
}
