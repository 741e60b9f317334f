package tracetest

import (
	"runtime"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// factor is the ratio of the sizes of the two traces. Work of n log n then takes about 20 times as long, and work of n² 256
// times.
const factor = 16

// The largest allowed ratios of the times.
const (
	mostOfGrowth = 80
	mostOfFlat   = 6
)

// RequireGrowth fails if the run that prepare returns takes more than n log n for any of the shapes. prepare gets traces of
// n and of 16 n. It measures processor time, the shortest of several runs, so that other load on the machine matters little.
// It skips the test under the race detector.
func RequireGrowth(t *testing.T, shapes []Shape, n int, prepare func(t *testing.T, td ptrace.Traces) (run func())) {
	t.Helper()
	if raceEnabled {
		t.Skip("the race detector's own work is measured, too")
	}
	for _, s := range shapes {
		t.Run(s.Name, func(t *testing.T) { requireAtMost(t, mostOfGrowth, n, prepare(t, s.Of(n)), prepare(t, s.Of(factor*n))) })
	}
}

// RequireFlat fails if the run that prepare returns takes longer for larger traces. prepare gets n, and 16 n.
func RequireFlat(t *testing.T, n int, prepare func(t *testing.T, n int) (run func())) {
	t.Helper()
	if raceEnabled {
		t.Skip("the race detector's own work is measured, too")
	}
	requireAtMost(t, mostOfFlat, n, prepare(t, n), prepare(t, factor*n))
}

func requireAtMost(t *testing.T, maxRatio time.Duration, n int, small, large func()) {
	t.Helper()
	least, longest := took(small), took(large)
	for range 2 {
		least, longest = min(least, took(small)), min(longest, took(large))
	}
	least = max(least, 50*time.Microsecond) // anything shorter is noise
	t.Logf("%d: %s, %d: %s", n, least, factor*n, longest)
	if longest > maxRatio*least {
		t.Errorf("it takes %s for %d, and %s for %d: that is more than %d times as long", least, n, longest, factor*n, maxRatio)
	}
}

// took returns the processor time of a run.
func took(run func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := threadTime()
	run()
	return threadTime() - began
}
