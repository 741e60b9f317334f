package ledger_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, path string) *state.DB {
	t.Helper()
	db, err := state.Open(path, state.Options{Buckets: ledger.Buckets})
	require.NoError(t, err)
	return db
}

// within runs f on the ledger in a transaction, with the file opened before and closed afterwards: the test sees what a restart would.
func within(t testing.TB, path string, f func(*ledger.Ledger)) {
	t.Helper()
	db := open(t, path)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error { f(ledger.New(tx)); return nil }))
	require.NoError(t, db.Close())
}

func TestMinutes(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		require.NoError(t, err)
		return v
	}
	m := ledger.MinuteOf(at("2026-03-01T12:00:30Z"))
	assert.Equal(t, at("2026-03-01T12:00:00Z"), m.Start())
	assert.Equal(t, at("2026-03-01T12:01:00Z"), m.End())
	assert.Equal(t, m, ledger.MinuteOf(m.End()), "a minute has its end")
	assert.Equal(t, m-1, ledger.MinuteOf(m.Start()), "and not its start")
	assert.Equal(t, m, ledger.Elapsed(at("2026-03-01T12:00:59.999Z")), "12:00 is still going on")
	assert.Equal(t, m+1, ledger.Elapsed(at("2026-03-01T12:01:00Z")), "12:00 is over")
	assert.Equal(t, ledger.Minute(-1), ledger.MinuteOf(time.Unix(0, 0)))
	assert.Equal(t, ledger.Minute(90), ledger.Minutes(90*time.Minute))
}

// For any window at any time the ledger equals the sum over every minute, with random counts, gaps, overlapping appends and restarts.
func TestAgainstBruteForce(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			path := filepath.Join(t.TempDir(), "slo.db")
			start := ledger.Minute(29_000_000 + rnd.IntN(120))
			want := map[ledger.Minute]slo.Events{}
			next := start
			for range 40 {
				from := next + ledger.Minute(rnd.IntN(200)-10)
				deltas := make([]ledger.Delta, rnd.IntN(150))
				for i := range deltas {
					if rnd.IntN(3) > 0 {
						deltas[i] = ledger.Delta{Total: float64(rnd.IntN(1 << rnd.IntN(40))), Bad: float64(rnd.IntN(3))}
					}
					if m := from + ledger.Minute(i); m >= next {
						want[m] = slo.Events{Total: uint64(deltas[i].Total), Bad: uint64(deltas[i].Bad)}
					}
				}
				next = max(next, from+ledger.Minute(len(deltas)))
				within(t, path, func(l *ledger.Ledger) {
					a, _, err := l.Open("o", start, "")
					require.NoError(t, err)
					require.NoError(t, l.Append(a, from, deltas))
					require.Equal(t, next, a.Next)
					if rnd.IntN(4) == 0 {
						require.NoError(t, l.Skip(a, next-1))
						next += ledger.Minute(rnd.IntN(2000))
						require.NoError(t, l.Skip(a, next))
						require.Equal(t, next, a.Next)
					}
				})
				within(t, path, func(l *ledger.Ledger) {
					a, ok, err := l.Find("o")
					require.NoError(t, err)
					require.True(t, ok)
					for range 20 {
						to := start + ledger.Minute(rnd.IntN(int(next-start)+100)) - 20
						w := ledger.Minute(rnd.IntN(3000))
						got, err := l.Sum(a, to-w, to)
						require.NoError(t, err)
						var sum slo.Events
						for m := to - w; m < to; m++ {
							sum = sum.Add(want[m])
						}
						require.Equal(t, sum, got, "%d minutes before %d", w, to)
					}
				})
			}
		})
	}
}

func TestWindowsAreSums(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slo.db")
	within(t, path, func(l *ledger.Ledger) {
		a, _, err := l.Open("o", 1000, "")
		require.NoError(t, err)
		deltas := make([]ledger.Delta, 500)
		for i := range deltas {
			deltas[i] = ledger.Delta{Total: float64(i), Bad: 1}
		}
		require.NoError(t, l.Append(a, 1000, deltas))
		windows := []ledger.Minute{5, 60, 400, 10_000}
		got := make([]slo.Events, len(windows))
		for _, to := range []ledger.Minute{1000, 1001, 1300, 1500} {
			require.NoError(t, l.Windows(a, to, windows, got))
			for i, w := range windows {
				want, err := l.Sum(a, to-w, to)
				require.NoError(t, err)
				assert.Equal(t, want, got[i])
			}
		}
	})
}

// The sum of the integers is never more than half an event from the sum of the fractions.
func TestFractionsNeverDrift(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	path := filepath.Join(t.TempDir(), "slo.db")
	var total, bad float64
	for i := range 50 {
		deltas := make([]ledger.Delta, 20)
		for j := range deltas {
			deltas[j] = ledger.Delta{Total: rnd.Float64() * 3, Bad: rnd.Float64() * 0.1}
			total += deltas[j].Total
			bad += deltas[j].Bad
		}
		within(t, path, func(l *ledger.Ledger) {
			a, _, err := l.Open("o", 0, "")
			require.NoError(t, err)
			require.NoError(t, l.Append(a, ledger.Minute(i*20), deltas))
			assert.InDelta(t, total, float64(a.Total), 0.5+1e-6)
			assert.InDelta(t, bad, float64(a.Bad), 0.5+1e-6)
		})
	}
}

func TestOddNumbersCountAsNothing(t *testing.T) {
	within(t, filepath.Join(t.TempDir(), "slo.db"), func(l *ledger.Ledger) {
		a, _, err := l.Open("o", 10, "")
		require.NoError(t, err)
		require.NoError(t, l.Append(a, 10, []ledger.Delta{
			{Total: math.NaN(), Bad: math.NaN()}, {Total: math.Inf(1), Bad: math.Inf(-1)}, {Total: -5, Bad: -1}, {Total: 7, Bad: 2},
		}))
		assert.Equal(t, slo.Events{Total: 7, Bad: 2}, a.Events())
	})
}

func TestAccounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slo.db")
	within(t, path, func(l *ledger.Ledger) {
		_, ok, err := l.Find("o")
		require.NoError(t, err)
		require.False(t, ok)
		a, changed, err := l.Open("o", 100, "availability")
		require.NoError(t, err)
		require.False(t, changed)
		require.NoError(t, l.Append(a, 100, []ledger.Delta{{Total: 10, Bad: 1}}))
		b, _, err := l.Open("p", 100, "availability")
		require.NoError(t, err)
		require.NotEqual(t, a.ID, b.ID)
	})
	within(t, path, func(l *ledger.Ledger) {
		a, changed, err := l.Open("o", 999, "latency")
		require.NoError(t, err)
		assert.True(t, changed)
		assert.Equal(t, slo.Events{Total: 10, Bad: 1}, a.Events(), "history stays")
		assert.Equal(t, ledger.Minute(100), a.First)
		assert.Equal(t, ledger.Minute(101), a.IndicatorSince)
	})
	within(t, path, func(l *ledger.Ledger) {
		_, changed, err := l.Open("o", 999, "latency")
		require.NoError(t, err)
		assert.False(t, changed, "noted once")
	})
}

func TestNewAccountIsEmpty(t *testing.T) {
	within(t, filepath.Join(t.TempDir(), "slo.db"), func(l *ledger.Ledger) {
		a, _, err := l.Open("o", 100, "")
		require.NoError(t, err)
		for _, to := range []ledger.Minute{0, 99, 100, 101, 1000} {
			e, err := l.Sum(a, -50, to)
			require.NoError(t, err)
			assert.Zero(t, e)
		}
	})
}

func TestPrune(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slo.db")
	ones := make([]ledger.Delta, 600)
	for i := range ones {
		ones[i] = ledger.Delta{Total: 1}
	}
	within(t, path, func(l *ledger.Ledger) {
		for name, start := range map[string]ledger.Minute{"old": 6000, "both": 6000, "new": 6700} {
			a, _, err := l.Open(name, start, "")
			require.NoError(t, err)
			require.NoError(t, l.Append(a, start, ones))
			if name == "both" {
				require.NoError(t, l.Append(a, 6600, ones))
			}
		}
	})
	within(t, path, func(l *ledger.Ledger) { require.NoError(t, l.Prune(6650)) })
	within(t, path, func(l *ledger.Ledger) {
		_, ok, err := l.Find("old")
		require.NoError(t, err)
		assert.False(t, ok, "all of it was before the horizon")
		for name, want := range map[string]uint64{"both": 600, "new": 600} {
			a, ok, err := l.Find(name)
			require.NoError(t, err)
			require.True(t, ok)
			e, err := l.Sum(a, 0, 10_000)
			require.NoError(t, err)
			assert.Equal(t, want, e.Total, "%s: whole hours from 6600 on", name)
			e, err = l.Sum(a, 7000, 7010)
			require.NoError(t, err)
			assert.Equal(t, uint64(10), e.Total, name)
		}
	})
	within(t, path, func(l *ledger.Ledger) { require.NoError(t, l.Prune(6650), "twice is once") })
}

// A transaction that fails leaves the ledger as it was.
func TestRollback(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slo.db")
	within(t, path, func(l *ledger.Ledger) {
		a, _, err := l.Open("o", 10, "")
		require.NoError(t, err)
		require.NoError(t, l.Append(a, 10, []ledger.Delta{{Total: 5.4}}))
	})
	db := open(t, path)
	boom := fmt.Errorf("boom")
	require.ErrorIs(t, db.Update(func(tx *bbolt.Tx) error {
		l := ledger.New(tx)
		a, _, err := l.Open("o", 10, "")
		require.NoError(t, err)
		require.NoError(t, l.Append(a, 11, []ledger.Delta{{Total: 100}}))
		return boom
	}), boom)
	require.NoError(t, db.Close())
	within(t, path, func(l *ledger.Ledger) {
		a, _, err := l.Find("o")
		require.NoError(t, err)
		assert.Equal(t, ledger.Minute(11), a.Next)
		assert.Equal(t, uint64(5), a.Total)
		assert.InDelta(t, 0.4, a.TotalCarry, 1e-9)
	})
}

func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slo.db")
	within(t, path, func(l *ledger.Ledger) {
		a, _, err := l.Open("o", 0, "")
		require.NoError(t, err)
		require.NoError(t, l.Append(a, 0, make([]ledger.Delta, 200)))
	})
	db := open(t, path)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(ledger.Buckets[1]))
		return b.Delete([]byte{0, 0, 0, 1, 0, 0, 0, 1})
	}))
	require.NoError(t, db.Close())
	within(t, path, func(l *ledger.Ledger) {
		a, _, err := l.Find("o")
		require.NoError(t, err)
		_, err = l.Sum(a, 70, 80)
		require.ErrorIs(t, err, state.ErrCorrupt)
		require.ErrorContains(t, err, "no chunk for o at 1970-01-01 01:20:00")
	})
}

// Minutes gives what Append took, with zeros in gaps, before the first minute and after the last one.
func TestMinutesOfAnAccount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slo.db")
	const first = ledger.Minute(60*1000 + 50)
	within(t, path, func(l *ledger.Ledger) {
		a, _, err := l.Open("a", first, "i")
		require.NoError(t, err)
		require.NoError(t, l.Append(a, first, []ledger.Delta{{Total: 3, Bad: 1}, {}, {Total: 5}}))
		require.NoError(t, l.Skip(a, first+500))
		require.NoError(t, l.Append(a, first+500, []ledger.Delta{{Total: 7, Bad: 7}}))
	})
	within(t, path, func(l *ledger.Ledger) {
		a, _, err := l.Find("a")
		require.NoError(t, err)
		all, err := l.ByMinute(a, first-70, first+600)
		require.NoError(t, err)
		require.Len(t, all, 670)
		want := make([]slo.Events, 670)
		want[70], want[72], want[570] = slo.Events{Total: 3, Bad: 1}, slo.Events{Total: 5}, slo.Events{Total: 7, Bad: 7}
		assert.Equal(t, want, all)
		part, err := l.ByMinute(a, first+1, first+3)
		require.NoError(t, err)
		assert.Equal(t, want[71:73], part)
		none, err := l.ByMinute(a, first+3, first+3)
		require.NoError(t, err)
		assert.Empty(t, none)
	})
}

// An account that was restarted is empty and goes on at its watermark; the old minutes go when others of their age do.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slo.db")
	const first = ledger.Minute(60 * 1000)
	within(t, path, func(l *ledger.Ledger) {
		a, _, err := l.Open("a", first, "i")
		require.NoError(t, err)
		require.NoError(t, l.Append(a, first, []ledger.Delta{{Total: 3, Bad: 1}, {Total: 5}}))
		fresh, err := l.Restart(a, "j")
		require.NoError(t, err)
		assert.NotEqual(t, a.ID, fresh.ID)
		assert.Equal(t, "j", fresh.Indicator)
		require.NoError(t, l.Append(fresh, first+2, []ledger.Delta{{Total: 1, Bad: 1}}))
	})
	within(t, path, func(l *ledger.Ledger) {
		a, _, err := l.Find("a")
		require.NoError(t, err)
		assert.Equal(t, slo.Events{Total: 1, Bad: 1}, a.Events())
		assert.Equal(t, first+2, a.First)
		e, err := l.Sum(a, first-1000, first+1000)
		require.NoError(t, err)
		assert.Equal(t, slo.Events{Total: 1, Bad: 1}, e)
		require.NoError(t, l.Prune(first+60))
		_, ok, err := l.Find("a")
		require.NoError(t, err)
		assert.False(t, ok)
	})
}
