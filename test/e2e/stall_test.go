//go:build e2e

package e2e

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	longestRequest = time.Second
	// shutdown_timeout of testdata/full-budget.yaml, and the time allowed for the rest of a shutdown
	fullBudgetShutdown = 5 * time.Second
	shutdownBesides    = 2 * time.Second
	// the requests of fillBudget
	spansPerRequest = 40
	spanBytes       = 4 << 10
)

// A full disk_budget never stops intake: each request is accepted, or refused with a retry delay, within a second, and SIGTERM ends the
// gateway in time. The spans are large, each trace has spans in every segment, no decision is due for long, and the backend refuses or
// hangs.
func TestFullBudgetNeverStopsIntake(t *testing.T) {
	for name, c := range map[string]struct {
		memory, disk int    // budgets, MiB
		limit        int    // of the cgroup, MiB; 0 is none
		heap         string // GOMEMLIMIT
		hangs        bool   // the backend does not answer, instead of refusing
	}{
		"small disk budget":                             {256, 256, 0, "", false},
		"memory smaller than disk":                      {64, 512, 0, "", false},
		"in a cgroup that is smaller":                   {64, 768, 320, "", false},
		"a small memory limit and a backend that hangs": {24, 256, 0, "128MiB", true},
	} {
		t.Run(name, func(t *testing.T) {
			env := []string{fmt.Sprintf("E2E_MEMORY_BUDGET=%dMiB", c.memory), fmt.Sprintf("E2E_DISK_BUDGET=%dMiB", c.disk)}
			if c.heap != "" {
				env = append(env, "GOMEMLIMIT="+c.heap)
			}
			g := startGateway(t, env, "testdata/full-budget.yaml")
			if c.hangs {
				g.backend.answer(t, rule{Hang: true})
			} else {
				g.backend.fail(t, true)
			}
			if c.limit > 0 {
				confine(t, g.cmd.Process.Pid, c.limit)
			}
			load := fillBudget(t, g, lasting(12*time.Second, 40*time.Second))
			began := time.Now()
			g.stop(t)
			took := time.Since(began)
			t.Logf("%s: %d requests accepted, %d refused; the longest took %s, p99 %s; SIGTERM took %s", name, load.taken.Load(), load.refused.Load(),
				load.longest().Round(time.Millisecond), load.quantile(0.99).Round(time.Millisecond), took.Round(time.Millisecond))
			assert.Positive(t, load.taken.Load())
			sent := load.taken.Load() * spansPerRequest * spanBytes >> 20
			assert.Greater(t, sent, int64(min(c.memory, c.disk)), "the budget was never full")
			assert.Zero(t, load.without.Load(), "refusals without a retry delay")
			assert.LessOrEqual(t, load.longest(), longestRequest)
			assert.LessOrEqual(t, took, fullBudgetShutdown+shutdownBesides)
		})
	}
}

// confine limits the memory of a process to limit MiB, with its page cache.
func confine(t *testing.T, pid, limit int) {
	t.Helper()
	group := filepath.Join("/sys/fs/cgroup/memory", fmt.Sprintf("slowburn-e2e-%d", pid))
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Skipf("a cgroup cannot be made here: %v", err)
	}
	t.Cleanup(func() { _ = os.Remove(group) })
	require.NoError(t, os.WriteFile(filepath.Join(group, "memory.limit_in_bytes"), []byte(strconv.Itoa(limit<<20)), 0))
	require.NoError(t, os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0))
}

// requests has the answers to a load: accepted, refused, and those without a retry delay, with their times.
type requests struct {
	taken, refused, without atomic.Int64
	mu                      sync.Mutex
	times                   []time.Duration
}

func (r *requests) longest() (most time.Duration) {
	for _, took := range r.times {
		most = max(most, took)
	}
	return most
}

func (r *requests) quantile(q float64) time.Duration {
	sorted := append([]time.Duration{}, r.times...)
	slices.Sort(sorted)
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))]
}

// fillBudget sends spans of traces that never end, for the time d, which fills the budget.
func fillBudget(t *testing.T, g *gateway, d time.Duration) *requests {
	t.Helper()
	const clients, traces, perRequest = 8, 2000, spansPerRequest
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	load := new(requests)
	var running sync.WaitGroup
	for i := range clients {
		client := g.client(t)
		running.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 9))
			var fill strings.Builder
			for fill.Len() < spanBytes {
				fmt.Fprintf(&fill, "%x", random.Uint64())
			}
			for n := uint64(1); ctx.Err() == nil; n++ {
				td := ptrace.NewTraces()
				spans := newScope(td, "stragglers")
				for j := range perRequest {
					span := spans.AppendEmpty()
					var id pcommon.TraceID
					binary.BigEndian.PutUint64(id[:], uint64(i+1))
					binary.BigEndian.PutUint64(id[8:], 1+(n*perRequest+uint64(j))%traces)
					span.SetTraceID(id)
					span.SetSpanID(pcommon.SpanID{byte(i), byte(j), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 1})
					span.SetParentSpanID(pcommon.SpanID{1})
					span.SetName("part")
					at := random.IntN(spanBytes / 2)
					span.Attributes().PutStr("payload", fill.String()[at:]+fill.String()[:at])
				}
				began := time.Now()
				call, end := context.WithTimeout(context.Background(), patience)
				_, err := client.Export(call, ptraceotlp.NewExportRequestFromTraces(td))
				end()
				load.add(time.Since(began), err)
				if err != nil {
					<-time.After(20 * time.Millisecond) // shorter than a sender's pause
				}
			}
		})
	}
	running.Wait()
	return load
}

func (r *requests) add(took time.Duration, err error) {
	r.mu.Lock()
	r.times = append(r.times, took)
	r.mu.Unlock()
	if err == nil {
		r.taken.Add(1)
		return
	}
	r.refused.Add(1)
	s := status.Convert(err)
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok && info.RetryDelay.AsDuration() > 0 &&
			(s.Code() == codes.ResourceExhausted || s.Code() == codes.Unavailable) {
			return
		}
	}
	r.without.Add(1)
}
