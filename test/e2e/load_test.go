//go:build e2e

package e2e

import (
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

const (
	loadRate       = 20_000 // spans per second
	loadClients    = 8
	tracesPerSend  = 10
	clockTicks     = 100 // USER_HZ, the unit of /proc/PID/stat, is 100 on every Linux that Go runs on
	baselineShare  = 0.10
	failingOneIn   = 100
	slowOneIn      = 101
	sigmasAccepted = 4
	mostLateness   = 0.25 // seconds
)

// At 20,000 spans per second every trace with an error and every slow one is kept, the baseline within sigmasAccepted standard
// deviations, all of them whole, and decisions are at most a quarter of a second late (p99).
func TestLoad(t *testing.T) {
	loadTime := lasting(20*time.Second, time.Minute)
	metrics, env := ownMetrics(t)
	g := startGateway(t, []string{env}, "testdata/sampling.yaml", "testdata/metrics.yaml")
	flavours := make([]map[pcommon.TraceID]flavour, loadClients)
	before := cpuSeconds(t, g.cmd.Process.Pid)
	started := time.Now()

	var clients sync.WaitGroup
	for i := range loadClients {
		flavours[i] = map[pcommon.TraceID]flavour{}
		client := g.client(t)
		made := newTraffic(uint64(100 + i))
		clients.Go(func() {
			const per = time.Second * loadClients * tracesPerSend * spansPerTrace / loadRate
			for n := 0; n < int(loadTime/per)*tracesPerSend; n += tracesPerSend {
				// A client that is late catches up.
				<-time.After(time.Until(started.Add(time.Duration(n/tracesPerSend) * per)))
				batch := make([]ptrace.Traces, len(services))
				for j := range batch {
					batch[j] = ptrace.NewTraces()
				}
				for j := range tracesPerSend {
					kind := flavourOf(n + j)
					parts := made.trace(kind, time.Now())
					flavours[i][parts[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceID()] = kind
					for k, part := range parts {
						part.ResourceSpans().MoveAndAppendTo(batch[k].ResourceSpans())
					}
				}
				for _, td := range batch {
					send(t, client, td)
				}
			}
		})
	}
	clients.Wait()
	elapsed := time.Since(started)
	g.awaitSettled(t)
	cpu := cpuSeconds(t, g.cmd.Process.Pid) - before

	sent := map[pcommon.TraceID]flavour{}
	for _, m := range flavours {
		for id, kind := range m {
			sent[id] = kind
		}
	}
	spans := len(sent) * spansPerTrace
	received := g.backend.spans(t)
	perTrace := map[pcommon.TraceID]int{}
	for _, rs := range received.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				perTrace[span.TraceID()]++
			}
		}
	}
	kept, all := map[flavour]int{}, map[flavour]int{}
	for id, kind := range sent {
		all[kind]++
		if n := perTrace[id]; n > 0 {
			kept[kind]++
			assert.Equal(t, spansPerTrace, n, "trace %s is not whole", id)
		}
	}
	t.Logf("%d spans in %.1f s (%.0f/s); errors kept %d of %d, slow %d of %d, baseline %d of %d; %.2f CPU-µs per span, peak resident %d MiB",
		spans, elapsed.Seconds(), float64(spans)/elapsed.Seconds(), kept[failing], all[failing], kept[slow], all[slow],
		kept[boring], all[boring], cpu*1e6/float64(spans), peakResidentMiB(t, g.cmd.Process.Pid))

	late := readHistogram(t, metrics, "otelcol_processor_tail_sampling_decision_lateness_seconds")
	t.Logf("lateness of decisions, the worst of each of %.0f runs: median at most %g s, p99 at most %g s",
		late.total(), late.quantile(0.5), late.quantile(0.99))

	if rate := float64(spans) / elapsed.Seconds(); rate < 0.95*loadRate {
		t.Logf("this machine is too slow for the load: it got %.0f spans/s, so lateness is not checked", rate)
	} else {
		assert.LessOrEqual(t, late.quantile(0.99), mostLateness, "p99 of the lateness of decisions, in seconds")
	}
	assert.Equal(t, all[failing], kept[failing], "every trace with an error is kept")
	assert.Equal(t, all[slow], kept[slow], "every slow trace is kept")
	mean := float64(all[boring]) * baselineShare
	assert.InDelta(t, mean, kept[boring], sigmasAccepted*math.Sqrt(mean*(1-baselineShare)), "baseline")
}

func flavourOf(n int) flavour {
	switch {
	case n%failingOneIn == 0:
		return failing
	case n%slowOneIn == 0:
		return slow
	default:
		return boring
	}
}

// cpuSeconds returns the processor time of a process, user and system, that the kernel has counted.
func cpuSeconds(t *testing.T, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	require.NoError(t, err)
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err := strconv.ParseFloat(fields[11], 64)
	require.NoError(t, err)
	system, err := strconv.ParseFloat(fields[12], 64)
	require.NoError(t, err)
	return (user + system) / clockTicks
}

func peakResidentMiB(t *testing.T, pid int) int { return memory(t, pid, "VmHWM:") >> 20 }

func residentBytes(t *testing.T, pid int) int { return memory(t, pid, "VmRSS:") }

// memory returns a value of /proc/PID/status, in bytes.
func memory(t *testing.T, pid int, key string) int {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, key); ok {
			kib, err := strconv.Atoi(strings.Fields(value)[0])
			require.NoError(t, err)
			return kib << 10
		}
	}
	require.FailNow(t, "/proc does not have the process's memory")
	return 0
}
