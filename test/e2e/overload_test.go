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

	"github.com/slowburn/slowburn/web/api"
)

// Values of testdata/small-budget.yaml; sizes in bytes.
const (
	overloadMemory = 256 << 20
	overloadDisk   = 256 << 20
	overloadWait   = 200 * time.Second
)

// sustainable is the load that the disk budget can hold for the whole wait, in bytes per second.
const sustainable = overloadDisk / float64(overloadWait/time.Second)

// Law 8: clients send at least ten times the sustainable load, as fast as the gateway answers. The resident memory at the peak, minus
// that when idle, exceeds memory_budget by at most a tenth, and every acknowledged trace with an error is kept, also when a tenth of all
// traces is kept and delivered.
func TestOverloadKeepsErrorsAndTheBudget(t *testing.T) {
	for _, percent := range []string{"1", "10"} {
		t.Run("keeping "+percent+" %", func(t *testing.T) { overload(t, percent) })
	}
}

func overload(t *testing.T, percent string) {
	t.Helper()
	overloadTime := lasting(10*time.Second, 20*time.Second)
	g := startGateway(t, []string{"E2E_KEPT_PERCENT=" + percent}, "testdata/sampling.yaml", "testdata/small-budget.yaml")
	idle := residentBytes(t, g.cmd.Process.Pid)
	ctx, cancel := context.WithTimeout(t.Context(), overloadTime)
	defer cancel()

	var clients sync.WaitGroup
	var spans, refused, bytes atomic.Int64
	var mu sync.Mutex
	failed := map[pcommon.TraceID]bool{}
	for i := range 8 {
		client := g.client(t)
		made := newTraffic(uint64(500 + i))
		// Requests of boring traces are made once and sent with new IDs, so that making them does not limit the load.
		parts := make([]ptrace.Traces, 50)
		sizes := make([]int, len(parts)) // in bytes of OTLP
		for j := range parts {
			parts[j] = ptrace.NewTraces()
			for _, td := range made.trace(boring, time.Now()) {
				td.ResourceSpans().MoveAndAppendTo(parts[j].ResourceSpans())
			}
			sizes[j] = new(ptrace.ProtoMarshaler).TracesSize(parts[j])
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
				bytes.Add(int64(sizes[n%len(sizes)]))
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
	var status api.SamplingStatus
	g.get(t, "/api/sampling/v1/status", &status)

	// With only the short waits it decides the remaining traces without delay.
	g.stop(t)
	g.configs = g.configs[:len(g.configs)-2] // the last one is testdata/small-budget.yaml
	g.start(t)
	g.awaitSettled(t)

	arrived := map[pcommon.TraceID]int{}
	each(g.backend.spans(t), func(span ptrace.Span) { arrived[span.TraceID()]++ })
	for id := range failed {
		assert.Equal(t, spansPerTrace, arrived[id], "the trace %s has an error and is not kept whole", id)
	}
	load := float64(bytes.Load()) / overloadTime.Seconds() / sustainable
	t.Logf("%d spans accepted in %s, %.0f times the sustainable load, %d refused; %d traces with errors; resident %d MiB idle, %d MiB at the peak, budget %d MiB",
		spans.Load(), overloadTime, load, refused.Load(), len(failed), idle>>20, peak>>20, overloadMemory>>20)
	require.Greater(t, load, 10.0, "this machine is too slow for the load: raise overloadWait, here and in testdata/small-budget.yaml")
	require.Greater(t, len(failed), 100)
	assert.LessOrEqual(t, status.BytesBuffered, int64(overloadMemory), "the buffer is over memory_budget")
	assert.LessOrEqual(t, status.DiskBytes, int64(overloadDisk), "the buffer is over disk_budget")
	assert.LessOrEqual(t, float64(peak-idle), 1.1*overloadMemory, "the process exceeds memory_budget by more than a tenth")
}
