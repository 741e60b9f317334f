package tailsampling

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy"
)

// A buffer many times the size of memory_budget keeps the process's resident memory within it: full segments are paged out or
// compressed.
func TestResidentMemoryStaysWithinTheBudget(t *testing.T) {
	withEitherStorage(t, testResidentMemoryStaysWithinTheBudget)
}

func testResidentMemoryStaysWithinTheBudget(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("measures memory")
	}
	for _, compression := range []string{compressAuto, compressAlways} {
		t.Run(compression, func(t *testing.T) {
			cfg := testConfig()
			cfg.Policies = []policy.Config{{Name: "all", Type: policy.AlwaysSample}}
			cfg.MemoryBudget, cfg.DiskBudget = 32<<20, 1<<30
			cfg.DecisionWait, cfg.Compression = time.Hour, compression
			p := benchSampler(t, cfg)
			l := newLoad(t)
			debug.FreeOSMemory()
			before, peak, spans := resident(t), int64(0), 0
			for spans < 250_000 {
				l.send(t, p)
				spans += l.spans
				if spans%(20*l.spans) == 0 {
					peak = max(peak, resident(t)-before)
				}
			}
			runtime.KeepAlive(l)
			t.Logf("%d spans of %d bytes each take %.1f MiB at the peak, disk %.1f MiB, early decisions %d",
				spans, len(l.requests[0].Bytes)/len(l.requests[0].Spans), float64(peak)/(1<<20), float64(p.buffer.Pool.Disk())/(1<<20), p.Status().EarlyDecisions)
			assert.LessOrEqual(t, peak, int64(cfg.MemoryBudget)*11/10+slackOfTheRuntime)
			decideAll(p)
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
}

// slackOfTheRuntime is for the garbage of deliveries and of the test itself.
const slackOfTheRuntime = 12 << 20
