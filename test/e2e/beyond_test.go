//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/web/api"
)

// beyondMemory has two samplers, each with a buffer several times as large as its memory: one gets spans as bytes, and one decoded
// spans, because of the component in front of it.
const beyondMemory = `yaml:{
  processors: {
    tail_sampling: {num_shards: 2, memory_budget: 4MiB, disk_budget: 1GiB, decision_wait: 30s, decision_wait_after_root_received: 0s, policies: %[1]s},
    tail_sampling/decoded: {directory: "${env:SLOWBURN_DATA_DIR}/decoded", num_shards: 2, memory_budget: 4MiB, disk_budget: 1GiB,
      decision_wait: 30s, decision_wait_after_root_received: 0s, policies: %[1]s},
    attributes/decoding: {actions: [{key: nothing.has.it, from_attribute: this.neither, action: insert}]},
  },
  exporters: {otlp_grpc/decoded: {endpoint: %[2]q, tls: {insecure: true}, compression: none}},
  extensions: {slo: {objectives: [{name: orders, target: 99, window: 30d, availability: {}}]}},
  service: {pipelines: {traces/decoded: {receivers: [sli], processors: [attributes/decoding, tail_sampling/decoded, reconstruct], exporters: [otlp_grpc/decoded]}}},
}`

// Laws 1 and 2 in the hard region: kills at random moments, while most of the buffer is on disk alone, lose no acknowledged span of a
// kept trace and no count. It holds for spans that stay bytes, and for spans that are decoded on their way to the sampler.
func TestKillNineBeyondMemory(t *testing.T) {
	parallelHeavy(t)
	policies := fmt.Sprintf(`[{name: errors, type: status_code, status_code: {status_codes: [ERROR]}},
      {name: slow, type: latency, latency: {threshold_ms: 1000}}, {name: rest, type: probabilistic, probabilistic: {sampling_percentage: %g}}]`, baselineShare*100)
	decoded := startBackend(t, "--collector", "--max-bytes", strconv.Itoa(64<<20))
	g := startGateway(t, nil, fmt.Sprintf(beyondMemory, policies, decoded.grpc))
	load := startLoad(t, g, 4, 100)
	rng := rand.New(rand.NewPCG(15, 9))
	times := max(3, kills(t)/6)
	held := 0.0
	for range times {
		held = max(held, g.awaitBuffered(t, 3))
		time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond) // a kill at a random moment
		g.kill(t)
		g.start(t)
	}
	load.stop()
	acknowledged := 0
	for door, b := range map[string]*backend{"bytes": g.backend, "decoded": decoded} {
		var report outcome
		for until := time.Now().Add(2 * patience); time.Now().Before(until); time.Sleep(time.Second) {
			if report = load.compare(t, b.spans(t)); report.lost == 0 {
				break
			}
		}
		t.Logf("%s: %d kills, up to %.1f memory budgets buffered: %d spans acknowledged in %d traces, %d traces kept, %d spans delivered more than once",
			door, times, held, report.acknowledged, report.traces, report.kept, report.repeated)
		assert.Zero(t, report.lost, "%s: acknowledged spans of kept traces that never reached the backend", door)
		assert.Zero(t, report.unwanted, "%s: spans of traces that no policy keeps", door)
		assert.Greater(t, report.kept, 100, "%s: too few traces were kept for a comparison", door)
		acknowledged = report.acknowledged
	}
	g.countedAll(t, acknowledged, load.inDoubt())
}

// awaitBuffered waits until the segments of the buffer are so many memory budgets large, and returns the number that they are.
func (g *gateway) awaitBuffered(t *testing.T, budgets float64) (held float64) {
	t.Helper()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		var status api.SamplingStatus
		g.get(t, "/api/sampling/v1/status", &status)
		if held = float64(status.DiskBytes) / float64(status.MemoryBudgetBytes); held >= budgets {
			return held
		}
	}
	require.Failf(t, "the buffer never exceeded its memory", "it holds %.1f memory budgets", held)
	return held
}

// countedAll waits until the counters and the ledger have all acknowledged spans, and of those in doubt any number.
func (g *gateway) countedAll(t *testing.T, acknowledged, doubtful int) {
	t.Helper()
	var calls, events, booked int
	right := func(n int) bool { return n >= acknowledged && n <= acknowledged+doubtful }
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(time.Second) {
		calls = int(g.query(t, "sum(last_over_time(traces_span_metrics_calls_total[2h]))", time.Now()))
		events = int(g.query(t, `sum(last_over_time(slowburn_sli_events_total{objective="orders"}[2h]))`, time.Now()))
		booked = int(g.objective(t).Events.Total)
		if right(calls) && calls == events && booked == events {
			return
		}
	}
	assert.Failf(t, "the counts are wrong", "%d calls, %d events, %d in the ledger; %d spans were acknowledged, %d are in doubt",
		calls, events, booked, acknowledged, doubtful)
}
