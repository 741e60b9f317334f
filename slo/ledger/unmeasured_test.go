package ledger_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo/ledger"
)

// The coverage of any window, and the runs in it, are those of a model that keeps a reason per minute, whatever is appended, recorded,
// pruned or taken back, and whatever other accounts have.
func TestCoverageIsExact(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		db := open(t, filepath.Join(t.TempDir(), "slo.db"))
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
			l := ledger.New(tx)
			first := ledger.Minute(29_000_000 + rnd.IntN(60))
			before, _, err := l.Open("before", first, "")
			require.NoError(t, err)
			a, _, err := l.Open("a", first, "")
			require.NoError(t, err)
			after, _, err := l.Open("after", first, "")
			require.NoError(t, err)
			missed := map[ledger.Minute]ledger.Reason{}
			for range 30 {
				switch rnd.IntN(6) {
				case 0, 1:
					require.NoError(t, l.Append(a, a.Next, make([]ledger.Delta, rnd.IntN(100))))
				case 2, 3:
					run := ledger.Run{From: a.Next, To: a.Next + ledger.Minute(rnd.IntN(120)), Reason: ledger.Reason(1 + rnd.IntN(4))}
					for m := run.From; m < run.To; m++ {
						missed[m] = run.Reason
					}
					require.NoError(t, l.Miss(a, run))
					require.NoError(t, l.Miss(a, ledger.Run{From: run.From, To: run.To, Reason: ledger.NoValue}), "it is recorded already")
					for _, other := range []*ledger.Account{before, after} {
						require.NoError(t, l.Miss(other, ledger.Run{From: run.From, To: run.To + 7, Reason: ledger.NoValue}))
					}
					require.NoError(t, l.Append(a, a.Next, make([]ledger.Delta, run.To-run.From)))
				case 4:
					require.NoError(t, l.Prune(a.Next-ledger.Minute(60+rnd.IntN(400))))
					a, _, err = l.Open("a", first, "")
					require.NoError(t, err)
				case 5:
					next := a.Next - ledger.Minute(rnd.IntN(50))
					require.NoError(t, l.Rewind(a, next))
					for m := range missed {
						if m >= next {
							delete(missed, m)
						}
					}
				}
				for range 20 {
					to := a.Next - ledger.Minute(rnd.IntN(600)-5)
					windows := []ledger.Minute{1, 5, ledger.Minute(rnd.IntN(900) + 1)}
					got := make([]ledger.Covered, len(windows))
					require.NoError(t, l.Coverage(a, to, windows, got))
					for i, w := range windows {
						want := ledger.Covered{}
						for m := max(to-w, a.First); m < min(to, a.Next); m++ {
							if want.Seen++; missed[m] == 0 {
								want.Measured++
							}
						}
						require.Equal(t, want, got[i], "seed %d, %d minutes before %d", seed, w, to-first)
					}
					from := to - windows[2]
					runs, all, err := l.Runs(a, from, to, 1<<30)
					require.NoError(t, err)
					assert.Len(t, runs, all)
					listed := map[ledger.Minute]ledger.Reason{}
					for _, r := range runs {
						for m := r.From; m < r.To; m++ {
							listed[m] = r.Reason
						}
					}
					for m := max(from, a.First); m < min(to, a.Next); m++ {
						require.Equal(t, missed[m], listed[m], "seed %d, minute %d", seed, m-first)
					}
				}
			}
			return nil
		}))
		require.NoError(t, db.Close())
	}
}

// Minutes in which the database was away count as covered once it is back, if their events come then.
func TestReturnedMinutesAreCovered(t *testing.T) {
	const first = ledger.Minute(29_000_000)
	for name, c := range map[string]struct {
		run  ledger.Run
		at   ledger.Minute
		want ledger.Minute
	}{
		"an hour":           {ledger.Run{From: first + 10, To: first + 70, Reason: ledger.DatabaseAway}, first + 70, 100},
		"more than an hour": {ledger.Run{From: first + 10, To: first + 71, Reason: ledger.DatabaseAway}, first + 71, 39},
		"the gateway":       {ledger.Run{From: first + 10, To: first + 70, Reason: ledger.GatewayDown}, first + 70, 40},
		"minutes later":     {ledger.Run{From: first + 10, To: first + 70, Reason: ledger.DatabaseAway}, first + 80, 100},
		"not yet":           {ledger.Run{From: first + 10, To: first + 70, Reason: ledger.DatabaseAway}, first + 69, 40},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, filepath.Join(t.TempDir(), "slo.db"))
			require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
				l := ledger.New(tx)
				a, _, err := l.Open("a", first, "")
				require.NoError(t, err)
				require.NoError(t, l.Returned(a, c.at, 60), "nothing was away")
				require.NoError(t, l.Miss(a, c.run))
				require.NoError(t, l.Returned(a, c.at, 60))
				require.NoError(t, l.Miss(a, ledger.Run{From: first + 90, To: first + 90, Reason: ledger.NoValue}), "no minute")
				require.NoError(t, l.Append(a, first, make([]ledger.Delta, 100)))
				var got [1]ledger.Covered
				require.NoError(t, l.Coverage(a, first+100, []ledger.Minute{1000}, got[:]))
				assert.Equal(t, ledger.Covered{Seen: 100, Measured: c.want}, got[0])
				runs, all, err := l.Runs(a, first, first+100, 5)
				require.NoError(t, err)
				assert.Equal(t, 1, all)
				assert.Equal(t, c.want == 100, runs[0].Reason == ledger.CountedLate)
				return nil
			}))
			require.NoError(t, db.Close())
		})
	}
}

// Runs lists the latest first, and counts those beyond the limit.
func TestRunsAreBounded(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "slo.db"))
	defer func() { require.NoError(t, db.Close()) }()
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		l := ledger.New(tx)
		a, _, err := l.Open("a", 1000, "")
		require.NoError(t, err)
		require.NoError(t, l.Append(a, 1000, make([]ledger.Delta, 500)))
		for m := ledger.Minute(1000); m < 1500; m += 10 {
			require.NoError(t, l.Miss(a, ledger.Run{From: m, To: m + 3, Reason: ledger.GatewayDown}))
		}
		runs, all, err := l.Runs(a, 1002, 1500, 2)
		require.NoError(t, err)
		assert.Equal(t, 50, all)
		assert.Equal(t, []ledger.Run{{From: 1490, To: 1493, Reason: ledger.GatewayDown}, {From: 1480, To: 1483, Reason: ledger.GatewayDown}}, runs)
		runs, _, err = l.Runs(a, 1002, 1011, 2)
		require.NoError(t, err)
		assert.Equal(t, []ledger.Run{{From: 1010, To: 1011, Reason: ledger.GatewayDown}, {From: 1002, To: 1003, Reason: ledger.GatewayDown}}, runs)
		return nil
	}))
}

// Runs that cannot be read are said to be damaged.
func TestDamagedRuns(t *testing.T) {
	key := []byte{0, 0, 0, 1, 0, 0, 4, 0}
	for name, damage := range map[string]struct{ key, value []byte }{
		"no value":           {key, nil},
		"a long key":         {append(key, 1), make([]byte, 9)},
		"an end before all":  {key, make([]byte, 9)},
		"cut off in the end": {key, []byte{1, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, filepath.Join(t.TempDir(), "slo.db"))
			require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
				l := ledger.New(tx)
				a, _, err := l.Open("a", 1000, "")
				require.NoError(t, err)
				require.Equal(t, uint32(1), a.ID)
				require.NoError(t, l.Append(a, 1000, make([]ledger.Delta, 500)))
				require.NoError(t, tx.Bucket([]byte("ledger_unmeasured")).Put(damage.key, damage.value))
				require.ErrorIs(t, l.Coverage(a, 1500, []ledger.Minute{10}, make([]ledger.Covered, 1)), state.ErrCorrupt)
				_, _, err = l.Runs(a, 1000, 1500, 5)
				require.ErrorIs(t, err, state.ErrCorrupt)
				require.ErrorIs(t, l.Miss(a, ledger.Run{From: 1400, To: 1500, Reason: ledger.NoValue}), state.ErrCorrupt)
				require.ErrorIs(t, l.Returned(a, 1500, 5), state.ErrCorrupt)
				require.ErrorIs(t, l.Rewind(a, 1400), state.ErrCorrupt)
				return nil
			}))
			require.NoError(t, db.Close())
		})
	}
}

func TestReasonText(t *testing.T) {
	assert.Equal(t, "gateway_down", ledger.GatewayDown.String())
	assert.Equal(t, "counted_late", ledger.CountedLate.String())
	assert.Equal(t, "reason_9", ledger.Reason(9).String())
	assert.Equal(t, "reason_0", ledger.Reason(0).String())
}
