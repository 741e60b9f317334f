//go:build e2e

package e2e

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

const (
	overloadTime   = 20 * time.Second
	overloadBudget = 256 << 20
)

// Law 8: far more than the budget can hold, as fast as the gateway answers. What the process has resident at the peak,
// over what it has when idle, stays within a tenth of the budget, and every trace with an error whose spans were
// acknowledged is kept.
func TestOverloadKeepsErrorsAndTheBudget(t *testing.T) {
	g := startGateway(t, nil, "testdata/sampling.yaml", "testdata/small-budget.yaml")
	idle := residentBytes(t, g.cmd.Process.Pid)
	ctx, cancel := context.WithTimeout(t.Context(), overloadTime)
	defer cancel()

	var clients sync.WaitGroup
	var spans, refused atomic.Int64
	var mu sync.Mutex
	failed := map[pcommon.TraceID]bool{}
	for i := range 8 {
		client := g.client(t)
		made := newTraffic(uint64(500 + i))
		// Requests of boring traces are made once and sent under new IDs, so that the generator is not what limits.
		parts := make([]ptrace.Traces, 50)
		for j := range parts {
			parts[j] = ptrace.NewTraces()
			for _, td := range made.trace(boring, time.Now()) {
				td.ResourceSpans().MoveAndAppendTo(parts[j].ResourceSpans())
			}
		}
		clients.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				td := parts[n%len(parts)]
				id := made.id()
				broken := n%100 == 0
				first := true
				each(td, func(span ptrace.Span) {
					span.SetTraceID(id)
					if first && broken {
						span.Status().SetCode(ptrace.StatusCodeError)
					} else {
						span.Status().SetCode(ptrace.StatusCodeUnset)
					}
					first = false
				})
				if _, err := client.Export(ctx, ptraceotlp.NewExportRequestFromTraces(td)); err != nil {
					refused.Add(spansPerTrace)
					continue
				}
				spans.Add(spansPerTrace)
				if broken {
					mu.Lock()
					failed[id] = true
					mu.Unlock()
				}
			}
		})
	}
	clients.Wait()
	peak := peakResidentMiB(t, g.cmd.Process.Pid) << 20
	var status struct {
		Buffered int `json:"bytes_buffered"`
	}
	g.get(t, "/api/sampling/v1/status", &status)
	g.awaitSettled(t)

	arrived := map[pcommon.TraceID]int{}
	each(g.backend.spans(t), func(span ptrace.Span) { arrived[span.TraceID()]++ })
	for id := range failed {
		assert.Equal(t, spansPerTrace, arrived[id], "the trace %s has an error and is not kept whole", id)
	}
	t.Logf("%d spans accepted in %s, %d refused; %d traces with errors; resident %d MiB idle, %d MiB at the peak, budget %d MiB",
		spans.Load(), overloadTime, refused.Load(), len(failed), idle>>20, peak>>20, overloadBudget>>20)
	require.Greater(t, len(failed), 100)
	assert.LessOrEqual(t, status.Buffered, overloadBudget, "the buffer is over its budget")
	assert.LessOrEqual(t, float64(peak-idle), 1.1*overloadBudget, "the process takes more than the budget explains")
}
