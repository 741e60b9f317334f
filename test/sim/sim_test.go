package sim

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

var (
	oneSeed = flag.Int64("seed", -1, "the only seed")
	seeds   = flag.Int("seeds", defaultSeeds, "how many seeds")
	first   = flag.Int("first", 0, "the first seed")
	stop    = flag.Bool("stop", false, "stop at the first seed that breaks a law")
)

// live runs a seed in a bubble.
func live(t *testing.T, seed uint64) (r Result) {
	synctest.Test(t, func(*testing.T) { r = Run(seed) })
	return r
}

func TestSeeds(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	from, to := *first, *first+*seeds
	if *oneSeed >= 0 {
		from, to = int(*oneSeed), int(*oneSeed)+1
	}
	for seed := from; seed < to; seed++ {
		r := live(t, uint64(seed))
		if testing.Verbose() && *oneSeed >= 0 {
			t.Log("\n" + r.Record)
		}
		if len(r.Problems) > 0 {
			t.Errorf("seed %d: %.2000s\n\t%s\n\treplay: go test ./test/sim -run TestSeeds -seed=%d -v", seed, r.Problems[0], r.Summary, seed)
			if *stop {
				return
			}
		} else if *oneSeed >= 0 {
			t.Log(r.Summary)
		}
	}
}

// TestSameSeedSameSteps checks that the seed alone determines the steps.
func TestSameSeedSameSteps(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for seed := range uint64(10) {
		one, two := live(t, seed), live(t, seed)
		if one.Record != two.Record {
			t.Fatalf("seed %d: %s", seed, difference(one.Record, two.Record))
		}
	}
}

// difference returns the first line in which two records differ.
func difference(one, two string) string {
	a, b := strings.Split(one, "\n"), strings.Split(two, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("step %d is once\n%s\nand then\n%s", i, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d steps, and then %d", len(a), len(b))
}
