package tailsampling

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Many senders, a next component that fails sometimes, little memory, and readers of the status: every accepted span of a kept
// trace is delivered exactly once.
func TestConcurrentUse(t *testing.T) { withEitherStorage(t, testConcurrentUse) }

func testConcurrentUse(t *testing.T) {
	cfg := keepErrors(testConfig())
	squeeze(cfg, 3, 2<<20)
	cfg.DecisionWait = 50 * time.Millisecond
	cfg.DecisionWaitAfterRootReceived = 20 * time.Millisecond
	cfg.MaximumTraceSizeBytes = 20_000
	cfg.WhenFull = fullRefuse         // no accepted trace is given up
	cfg.ShutdownTimeout = time.Minute // enough for a slow machine to deliver everything
	var chance sync.Mutex
	rnd := rand.New(rand.NewPCG(1, 1))
	next := sink{accept: func(context.Context, int, ptrace.Traces) error {
		chance.Lock()
		defer chance.Unlock()
		if rnd.IntN(50) == 0 {
			return errors.New("now and then")
		}
		return nil
	}}
	p := start(t, cfg, &next)
	const senders, traces, spans = 4, 300, 6
	var wg sync.WaitGroup
	accepted := make([]int, senders)
	for sender := range senders {
		wg.Go(func() {
			for n := range traces {
				id := sender*traces + n
				// The error comes first, so that a trace that is decided early is kept.
				err := pdataDoor(t, p, request(newSpan(id, 0).fail(), newSpan(id, 1).pad(300)))
				if err != nil {
					continue // no part of it was accepted
				}
				accepted[sender] += 2
				for i := 2; i < spans; i += 2 {
					if wireDoor(t, p, request(newSpan(id, i), newSpan(id, i+1), newSpan(1_000_000+id, i))) == nil {
						accepted[sender] += 2
					}
				}
			}
		})
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	readers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				st := p.Status()
				// Growth of the index is counted when it happens: a chunk of entries, or a table twice as large, in each shard.
				assert.LessOrEqual(t, st.BytesBuffered, int64(cfg.MemoryBudget)*17/16)
				p.Probe(t.Context())
			}
		}
	})
	wg.Wait()
	close(stop)
	readers.Wait()
	shutdown(t, p)

	want := 0
	for _, n := range accepted {
		want += n
	}
	got := map[string]int{}
	for _, td := range next.batches {
		for _, s := range spansOf(td) {
			got[s.TraceID().String()+s.SpanID().String()]++
		}
	}
	require.Len(t, got, want)
	for id, n := range got {
		require.Equal(t, 1, n, id)
	}
	assert.Zero(t, p.output.Lost.Load())
	assert.Zero(t, p.output.RefusedSpans())
	st := p.Status()
	assert.Zero(t, st.SpansBuffered)
	assert.Zero(t, st.TracesPending)
	assert.Zero(t, st.TracesUndelivered)
}
