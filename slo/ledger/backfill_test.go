package ledger

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
)

// TestBackfillIsAsIfItHadBeenCounted checks that an account that was filled later has the same events in every window as a model, whatever
// it had before, between and after, gaps included, and goes on counting.
func TestBackfillIsAsIfItHadBeenCounted(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		first := Minute(1_000_000 + rnd.IntN(120))
		truth := map[Minute]slo.Events{}
		inTx(t, func(l *Ledger) {
			a, _, err := l.Open("a", first, "x")
			require.NoError(t, err)
			live := func(minutes int) {
				deltas := make([]Delta, minutes)
				for i := range deltas {
					e := slo.Events{Total: uint64(rnd.IntN(9)), Bad: uint64(rnd.IntN(2))}
					deltas[i] = Delta{Total: float64(e.Total), Bad: float64(e.Bad)}
					truth[a.Next+Minute(i)] = e
				}
				require.NoError(t, l.Append(a, a.Next, deltas))
			}
			live(1 + rnd.IntN(200))
			if rnd.IntN(2) == 0 {
				require.NoError(t, l.Skip(a, a.Next+Minute(rnd.IntN(700))))
				live(rnd.IntN(100))
			}
			from := first + Minute(rnd.IntN(400)) - 300
			until := min(max(from, first)+Minute(rnd.IntN(300)), a.Next)
			deltas, measured := make([]Delta, max(until-from, 0)), make([]bool, max(until-from, 0))
			hole := rnd.IntN(2) * backfillGap
			for i := range deltas {
				m := from + Minute(i)
				delete(truth, m)
				if i >= 3 && i < 3+hole {
					continue // nothing was measured
				}
				measured[i] = true
				e := slo.Events{Total: uint64(10 + rnd.IntN(9)), Bad: uint64(rnd.IntN(3))}
				deltas[i] = Delta{Total: float64(e.Total), Bad: float64(e.Bad)}
				truth[m] = e
			}
			watermark := a.Next
			require.NoError(t, l.Backfill(a, from, deltas, measured))
			require.Equal(t, watermark, a.Next)
			live(50)
			a, ok, err := l.Find("a")
			require.NoError(t, err)
			require.True(t, ok)
			for range 200 {
				lo := first - 350 + Minute(rnd.IntN(1200))
				hi := lo + Minute(rnd.IntN(900))
				var want slo.Events
				for m := lo; m < hi; m++ {
					want = want.Add(truth[m])
				}
				got, err := l.Sum(a, lo, hi)
				require.NoError(t, err)
				require.Equal(t, want, got, "seed %d: %d to %d", seed, lo-first, hi-first)
			}
			require.NoError(t, l.Prune(first+100))
		})
	}
}

// TestBackfillOfNothing checks what leaves an account as it is.
func TestBackfillOfNothing(t *testing.T) {
	inTx(t, func(l *Ledger) {
		a, _, err := l.Open("a", 1000, "x")
		require.NoError(t, err)
		require.NoError(t, l.Append(a, 1000, []Delta{{Total: 1.25, Bad: 0.25}, {Total: 2.3}}))
		before := *a
		require.NoError(t, l.Backfill(a, 900, nil, nil))
		require.NoError(t, l.Backfill(a, 1002, []Delta{{Total: 5}}, []bool{true}), "from the watermark on")
		require.NoError(t, l.Backfill(a, 900, make([]Delta, 5), make([]bool, 5)), "far before, with minutes between that nobody has")
		assert.Equal(t, before, *a)
		require.NoError(t, l.Backfill(a, 999, []Delta{{Total: 7}, {Total: 1}, {Total: 2}, {Total: 1000}}, []bool{true, true, true, true}))
		assert.Equal(t, slo.Events{Total: 10}, a.Events())
		assert.InDelta(t, before.TotalCarry, a.TotalCarry, 1e-12)
		assert.Equal(t, Minute(999), a.First)
	})
}
