package tracetest

import (
	"runtime"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// factor is how many times larger the larger of two traces is. What takes n log n takes about 20 times as long for it, and what
// takes n² 256 times.
const factor = 16

// Most times as long as for the smaller trace.
const (
	mostOfGrowth = 80
	mostOfFlat   = 6
)

// RequireGrowth fails where what prepare returns takes more than n log n for any of the shapes. prepare is given traces of n
// and of 16 n; the time of the processor is what is measured, the least of several runs, so that what else the machine does
// counts for little. It skips the test under the race detector.
func RequireGrowth(t *testing.T, shapes []Shape, n int, prepare func(t *testing.T, td ptrace.Traces) (run func())) {
	t.Helper()
	if raceEnabled {
		t.Skip("the race detector's own work is measured, too")
	}
	for _, s := range shapes {
		t.Run(s.Name, func(t *testing.T) { requireAtMost(t, mostOfGrowth, n, prepare(t, s.Of(n)), prepare(t, s.Of(factor*n))) })
	}
}

// RequireFlat fails where what prepare returns takes longer for larger traces. It is given n, and 16 n.
func RequireFlat(t *testing.T, n int, prepare func(t *testing.T, n int) (run func())) {
	t.Helper()
	if raceEnabled {
		t.Skip("the race detector's own work is measured, too")
	}
	requireAtMost(t, mostOfFlat, n, prepare(t, n), prepare(t, factor*n))
}

func requireAtMost(t *testing.T, most time.Duration, n int, small, large func()) {
	t.Helper()
	least, longest := took(small), took(large)
	for range 2 {
		least, longest = min(least, took(small)), min(longest, took(large))
	}
	least = max(least, 50*time.Microsecond) // less is noise
	t.Logf("%d: %s, %d: %s", n, least, factor*n, longest)
	if longest > most*least {
		t.Errorf("it takes %s for %d, and %s for %d: that is more than %d times as long", least, n, longest, factor*n, most)
	}
}

// took is how much of a processor a run takes.
func took(run func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := threadTime()
	run()
	return threadTime() - began
}
