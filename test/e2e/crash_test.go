//go:build e2e

package e2e

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/sampling"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// kills returns the number of kills under load; E2E_KILLS raises it, as `make soak` does.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("E2E_KILLS")
	if text == "" {
		return 10
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "E2E_KILLS")
	return n
}

// Law 2: after the gateway has answered an export with success, a kill -9 loses no span of it. The gateway is killed at
// random moments under load and started again on its files. Of every trace that the policies keep, every acknowledged
// span must reach the backend; of the others, none.
func TestKillNineLosesNothingAcknowledged(t *testing.T) {
	g := startGateway(t, nil, "testdata/sampling.yaml")
	load := startLoad(t, g, 4, 500)
	rng := rand.New(rand.NewPCG(9, 9))
	for range kills(t) {
		time.Sleep(time.Duration(300+rng.IntN(1500)) * time.Millisecond) // a kill at a random moment
		require.NoError(t, g.cmd.Process.Signal(syscall.SIGKILL))
		<-g.done
		g.start(t)
	}
	load.stop()
	g.awaitSettled(t)
	report := load.compare(t, g.backend.spans(t))
	t.Logf("%d kills: %d spans acknowledged in %d traces, %d traces kept, %d spans delivered more than once",
		kills(t), report.acknowledged, report.traces, report.kept, report.repeated)
	assert.Zero(t, report.lost, "acknowledged spans of kept traces that never reached the backend")
	assert.Zero(t, report.unwanted, "spans of traces that no policy keeps")
	assert.Greater(t, report.kept, 100, "too few traces were kept for a comparison")
}

// load is traffic of which every acknowledged span is recorded. The first request of a trace decides its fate, and the others follow
// once it is acknowledged, so that the fate is known however late they come.
type load struct {
	cancel   context.CancelFunc
	clients  sync.WaitGroup
	now      func() time.Time
	baseline sampling.Threshold

	mu    sync.Mutex
	acked map[pcommon.TraceID]*fate
	doubt int // spans of the requests that were not answered before the load ended
}

// fate is the expected decision about a trace, with its acknowledged spans.
type fate struct {
	kept  bool
	spans map[pcommon.SpanID]struct{}
}

// newLoad returns a load without clients.
func newLoad(t *testing.T, now func() time.Time, cancel context.CancelFunc) *load {
	t.Helper()
	baseline, err := sampling.ProbabilityToThreshold(baselineShare)
	require.NoError(t, err)
	return &load{cancel: cancel, now: now, baseline: baseline, acked: map[pcommon.TraceID]*fate{}}
}

// startLoad sends from several clients, at most tracesPerSecond in all.
func startLoad(t *testing.T, g *gateway, clients int, tracesPerSecond float64) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := newLoad(t, time.Now, cancel)
	for i := range clients {
		client := g.client(t)
		made := newTraffic(uint64(1000 + i))
		l.clients.Go(func() {
			ticker := time.NewTicker(time.Duration(float64(time.Second) * float64(clients) / tracesPerSecond))
			defer ticker.Stop()
			for n := 0; ctx.Err() == nil; n++ {
				<-ticker.C
				l.trace(ctx, client, made, []flavour{boring, boring, boring, boring, failing, slow}[n%6], false)
			}
		})
	}
	t.Cleanup(l.stop)
	return l
}

// trace sends a trace's requests one after another, each until it is acknowledged. With rootless, the first one, with the root, is left out.
func (l *load) trace(ctx context.Context, client ptraceotlp.GRPCClient, made traffic, kind flavour, rootless bool) {
	plain := kind
	if kind == failing {
		plain = boring
	}
	parts := made.trace(plain, l.now())
	if rootless {
		parts = parts[1:]
	}
	first := parts[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	if kind == failing {
		first.Status().SetCode(ptrace.StatusCodeError)
	}
	kept := kind != boring || l.baseline.ShouldSample(sampling.TraceIDToRandomness(first.TraceID()))
	for _, td := range parts {
		if !deliver(ctx, client, td) {
			l.mu.Lock()
			l.doubt += td.SpanCount()
			l.mu.Unlock()
			return
		}
		l.remember(td, kept)
	}
}

// deliver sends until the gateway acknowledges, and reports whether it did before ctx ended.
func deliver(ctx context.Context, client ptraceotlp.GRPCClient, td ptrace.Traces) bool {
	for ctx.Err() == nil {
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := export(attempt, client, td)
		cancel()
		if err == nil {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	return false
}

func export(ctx context.Context, client ptraceotlp.GRPCClient, td ptrace.Traces) error {
	_, err := client.Export(ctx, ptraceotlp.NewExportRequestFromTraces(td))
	return err
}

func (l *load) remember(td ptrace.Traces, kept bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	each(td, func(span ptrace.Span) {
		f, ok := l.acked[span.TraceID()]
		if !ok {
			f = &fate{kept: kept, spans: map[pcommon.SpanID]struct{}{}}
			l.acked[span.TraceID()] = f
		}
		f.spans[span.SpanID()] = struct{}{}
	})
}

// inDoubt returns the number of spans that were sent, and may have been accepted without an answer.
func (l *load) inDoubt() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.doubt
}

// stop ends the traffic. Requests in flight are not recorded.
func (l *load) stop() {
	l.cancel()
	l.clients.Wait()
}

// outcome has numbers of acknowledged and of delivered spans and traces.
type outcome struct{ acknowledged, traces, kept, lost, unwanted, repeated int }

func (l *load) compare(t *testing.T, received ptrace.Traces) (o outcome) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	delivered := map[pcommon.TraceID]map[pcommon.SpanID]int{}
	each(received, func(span ptrace.Span) {
		spans, ok := delivered[span.TraceID()]
		if !ok {
			spans = map[pcommon.SpanID]int{}
			delivered[span.TraceID()] = spans
		}
		spans[span.SpanID()]++
		if spans[span.SpanID()] == 2 {
			o.repeated++
		}
	})
	for id, f := range l.acked {
		o.traces++
		o.acknowledged += len(f.spans)
		if !f.kept {
			o.unwanted += len(delivered[id])
			continue
		}
		o.kept++
		for span := range f.spans {
			if delivered[id][span] == 0 {
				o.lost++
			}
		}
	}
	return o
}

func each(td ptrace.Traces, visit func(ptrace.Span)) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				visit(span)
			}
		}
	}
}
