package tailsampling

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/policy"
)

// A request of 17 seconds, whose child arrives at once and whose root arrives at its end, is one trace, and slow.
func TestSlowRequestIsKept(t *testing.T) { withEitherStorage(t, testSlowRequestIsKept) }

func testSlowRequestIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.DecisionWait, cfg.DecisionWaitAfterRootReceived = time.Minute, 2*time.Second
		cfg.Policies = []policy.Config{{Name: "slow", Type: policy.Latency, Section: &policy.LatencyConfig{ThresholdMs: ptr(int64(1000))}}}
		var next sink
		p := start(t, cfg, &next)
		root, child := newSpan(1, 0), newSpan(1, 1)
		root.span().SetEndTimestamp(root.span().StartTimestamp() + pcommon.Timestamp(17*time.Second))
		require.NoError(t, wireDoor(t, p, request(child)))
		time.Sleep(17 * time.Second)
		require.True(t, isPending(p, 1))
		require.NoError(t, wireDoor(t, p, request(root)))
		time.Sleep(3 * time.Second)
		require.Equal(t, 2, next.spans())
		e, _ := p.Explain(traceID(1))
		assert.Equal(t, "slow", e.Policy)
		assert.Equal(t, "root_received", e.Trigger)
		shutdown(t, p)
	})
}

// Errors that arrive too late for a trace that was not sampled are counted; those that revive one, or whose trace a policy
// dropped, are not.
func TestLateErrorsAreCounted(t *testing.T) { withEitherStorage(t, testLateErrorsAreCounted) }

func testLateErrorsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := reviving(testConfig())
		cfg.Policies = []policy.Config{
			serviceIs("three", "service-3"),
			{Name: "noise", Type: policy.Drop, Section: &policy.DropConfig{SubPolicies: []policy.Config{serviceIs("", "service-2")}}},
		}
		p := start(t, cfg, &sink{})
		send := func(spans ...spanOf) { require.NoError(t, wireDoor(t, p, request(spans...))) }
		send(newSpan(1, 0))
		send(newSpan(2, 0))
		send(newSpan(3, 2))
		time.Sleep(cfg.DecisionWait + time.Second)
		send(newSpan(1, 4).fail(), newSpan(1, 5)) // no policy matches errors
		send(newSpan(2, 4).fail(), newSpan(2, 3)) // revived
		send(newSpan(3, 4).fail())                // dropped
		require.Zero(t, p.Status().LateSpans.ErrorsDropped, "it may be revived yet")
		time.Sleep(cfg.ReviveWindow)
		require.EqualValues(t, 1, p.Status().LateSpans.ErrorsDropped)
		send(newSpan(1, 6).fail(), newSpan(1, 7).fail(), newSpan(1, 8))
		require.EqualValues(t, 3, p.Status().LateSpans.ErrorsDropped)
		shutdown(t, p)
	})
}

// The latest traces that were not sampled stay within revive_budget; with files they stay even if the memory is full, as segments
// leave it.
func TestReviveBudget(t *testing.T) { withEitherStorage(t, testReviveBudget) }

func testReviveBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := reviving(keepErrors(testConfig()))
		cfg.ReviveWindow, cfg.ReviveBudget, cfg.NumShards = time.Hour, 1<<20, 2
		cfg.MemoryBudget, cfg.DiskBudget, cfg.DeliveryBudget = 8<<20, 8<<20, 0
		require.NoError(t, cfg.Validate())
		p := start(t, cfg, &sink{})
		var most int64
		for n := range 3000 {
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 0).pad(1000))))
			time.Sleep(cfg.DecisionWait / 100)
			most = max(most, p.Status().BytesRevivable)
		}
		require.Greater(t, most, int64(cfg.ReviveBudget)*9/10)
		require.Less(t, most, int64(cfg.ReviveBudget)*11/10)
		require.Zero(t, p.Status().EarlyDecisions)
		require.NoError(t, wireDoor(t, p, request(newSpan(2800, 1).fail(), newSpan(100, 1).fail())))
		time.Sleep(time.Second)
		e, _ := p.Explain(traceID(2800))
		require.Equal(t, "sampled", e.Verdict)
		require.EqualValues(t, 1, p.Status().LateSpans.ErrorsDropped, "the oldest had left")
		shutdown(t, p)
	})
}

func TestReviveStaysWhereMemoryIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := reviving(keepErrors(testConfig()))
		cfg.Storage, cfg.Directory, cfg.ReviveWindow, cfg.NumShards = storageDisk, t.TempDir(), time.Hour, 2
		cfg.MemoryBudget, cfg.DiskBudget = 2<<20, 64<<20
		require.NoError(t, cfg.Validate())
		p := start(t, cfg, &sink{})
		for n := range 3000 {
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 0).pad(1000))))
			time.Sleep(cfg.DecisionWait / 100)
		}
		require.Zero(t, p.Status().EarlyDecisions)
		require.Greater(t, p.Status().BytesRevivable, int64(cfg.MemoryBudget))
		shutdown(t, p)
	})
}

func TestBadReviveBudget(t *testing.T) {
	for want, size := range map[string]units.Size{
		"revive_budget: 5B must be at least 1MiB; write it with a unit, such as 512MiB, or 0 for a quarter of ": 5,
		"revive_budget: 1TiB must be at most ": 1 << 40,
	} {
		cfg := testConfig()
		cfg.ReviveBudget = size
		assert.ErrorContains(t, cfg.Validate(), want)
	}
}
