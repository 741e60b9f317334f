package parts

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

func open(t testing.TB, path string) *state.DB {
	t.Helper()
	db, err := state.Open(path, state.Options{Buckets: append(slices.Clone(Buckets), ledger.Buckets...)})
	require.NoError(t, err)
	return db
}

// within runs f in a transaction, with the file opened before and closed afterwards, as a restart would.
func within(t testing.TB, path string, f func(*ledger.Ledger, *Store)) {
	t.Helper()
	db := open(t, path)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error { f(ledger.New(tx), New(tx)); return nil }))
	require.NoError(t, db.Close())
}

// enter books the deltas in ledger and parts, as an evaluation does: the ledger gets the sum of each minute.
func enter(t testing.TB, l *ledger.Ledger, s *Store, a *ledger.Account, from, to ledger.Minute, deltas []Delta) {
	t.Helper()
	sums := make([]ledger.Delta, to-from)
	for _, d := range deltas {
		if d.Minute < from {
			continue
		}
		if d.Bad {
			sums[d.Minute-from].Bad += d.N
		} else {
			sums[d.Minute-from].Total += d.N
		}
	}
	first := a.Next
	require.NoError(t, l.Append(a, from, sums))
	require.NoError(t, s.Book(l, a, first, deltas))
}

// requireSums fails unless the parts of each minute or hour add up to the ledger's events.
func requireSums(t testing.TB, l *ledger.Ledger, s *Store, a *ledger.Account) {
	t.Helper()
	all, byMinute, err := s.First()
	require.NoError(t, err)
	for m := max(all, a.First); m < a.Next; {
		end := m + 1
		if m < byMinute {
			end = firstOf(hourOf(m) + 1)
		}
		b, err := s.Break(l, a, m, min(end, a.Next), []Dimension{Service})
		require.NoError(t, err)
		require.Zero(t, b.Uncovered, "minute %d", m)
		var sum slo.Events
		for _, r := range b.Rows {
			sum = sum.Add(r.Events)
		}
		require.Equal(t, b.Events, sum, "minute %d", m)
		m = end
	}
}

// traffic returns random events of some parts in some minutes.
func traffic(rnd *rand.Rand, from, to ledger.Minute, parts int, whole bool) (deltas []Delta) {
	number := func(most int) float64 {
		if whole {
			return float64(rnd.IntN(most))
		}
		return rnd.Float64() * float64(most)
	}
	for m := from; m < to; m++ {
		if rnd.IntN(10) == 0 {
			continue
		}
		for range rnd.IntN(parts + 1) {
			p := Part{Service: fmt.Sprint("s", rnd.IntN(3)), Operation: fmt.Sprint("o", rnd.IntN(parts)), Version: fmt.Sprint("v", rnd.IntN(2))}
			deltas = append(deltas, Delta{p, m, false, number(1 << rnd.IntN(12))})
			if rnd.IntN(3) == 0 {
				p.Reason = fmt.Sprint("r", rnd.IntN(4))
				deltas = append(deltas, Delta{p, m, true, number(3)})
			}
		}
	}
	return deltas
}

// TestPartsAddUp compares the parts with the ledger over random traffic, whole and not, with restarts, gaps, clocks that are set
// back, and pruning, with fewer and with more parts than the limit.
func TestPartsAddUp(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 9))
			path := filepath.Join(t.TempDir(), "slo.db")
			next := ledger.Minute(29_000_000 + rnd.IntN(3000))
			most := []int{2, 40}[seed%2]
			for round := range 24 {
				within(t, path, func(l *ledger.Ledger, s *Store) {
					a, _, err := l.Open("o", next, "")
					require.NoError(t, err)
					_, _, err = l.Open("other", next, "")
					require.NoError(t, err)
					switch rnd.IntN(6) {
					case 0:
						was, to, by := a.Next, a.Next-ledger.Minute(rnd.IntN(90)), ledger.Minute(rnd.IntN(200))
						require.NoError(t, l.Shift(a, to, by))
						require.NoError(t, s.Shift(a, to, was, by))
					case 1:
						require.NoError(t, l.Skip(a, a.Next+ledger.Minute(rnd.IntN(500))))
					case 2:
						require.NoError(t, s.Prune(a.Next-ledger.Minute(rnd.IntN(600)), a.Next-3000))
					}
					to := a.Next + ledger.Minute(rnd.IntN(150))
					enter(t, l, s, a, a.Next, to, traffic(rnd, a.Next, to, most, seed%3 > 0))
					next = a.Next
					if round%6 == 5 {
						requireSums(t, l, s, a)
					}
				})
			}
		})
	}
}

// TestFewPartsAreExact checks each row of a breakdown against the events that were booked.
func TestFewPartsAreExact(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	path := filepath.Join(t.TempDir(), "slo.db")
	const start = ledger.Minute(29_000_017)
	var all []Delta
	within(t, path, func(l *ledger.Ledger, s *Store) {
		a, _, err := l.Open("o", start, "")
		require.NoError(t, err)
		for range 40 {
			to := a.Next + ledger.Minute(rnd.IntN(20))
			deltas := traffic(rnd, a.Next, to, 2, true)
			all = append(all, deltas...)
			enter(t, l, s, a, a.Next, to, deltas)
		}
		for _, by := range [][]Dimension{{Service}, {Operation}, {Version}, {Reason}, {Version, Reason}, Dimensions} {
			from, to := start+50, a.Next-40
			b, err := s.Break(l, a, from, to, by)
			require.NoError(t, err)
			groups := slices.DeleteFunc(slices.Clone(by), func(d Dimension) bool { return d == Reason })
			totals, bads := map[Part]uint64{}, map[Part]uint64{}
			for _, d := range all {
				switch {
				case d.Minute < from || d.Minute >= to:
				case d.Bad:
					bads[d.Part.project(by)] += uint64(d.N)
				default:
					totals[d.Part.project(groups)] += uint64(d.N)
				}
			}
			got, gotBad := map[Part]uint64{}, map[Part]uint64{}
			for _, r := range b.Rows {
				got[r.Part.project(groups)] = r.Events.Total
				if r.Events.Bad > 0 {
					gotBad[r.Part] = r.Events.Bad
				}
			}
			maps.DeleteFunc(bads, func(_ Part, n uint64) bool { return n == 0 })
			if !slices.Contains(by, Reason) {
				assert.Equal(t, totals, got, by)
			}
			assert.Equal(t, bads, gotBad, by)
			assert.True(t, slices.IsSortedFunc(b.Rows, func(x, y Row) int { return int(y.Events.Bad) - int(x.Events.Bad) }), by)
			assert.Zero(t, b.Other, by)
		}
	})
}

// TestTwoIncidents books a good version through an old incident, and then a bad one: since the second began, the good version is not
// named for the first one's events.
func TestTwoIncidents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slo.db")
	const start, second = ledger.Minute(29_000_040), ledger.Minute(29_000_040 + 300)
	within(t, path, func(l *ledger.Ledger, s *Store) {
		a, _, err := l.Open("o", start, "")
		require.NoError(t, err)
		var deltas []Delta
		for m := start; m < start+360; m++ {
			good := Part{Service: "shop", Version: "1.9.0"}
			deltas = append(deltas, Delta{good, m, false, 500})
			good.Reason = "503"
			if m < start+30 { // the dependency is down: every version fails
				deltas = append(deltas, Delta{good, m, true, 430})
			} else {
				deltas = append(deltas, Delta{good, m, true, 0.1})
			}
			if m >= second {
				bad := Part{Service: "shop", Version: "1.9.1"}
				deltas = append(deltas, Delta{bad, m, false, 300})
				bad.Reason = "NullPointerException"
				deltas = append(deltas, Delta{bad, m, true, 36})
			}
		}
		enter(t, l, s, a, start, start+360, deltas)
		b, err := s.Break(l, a, start, a.Next, []Dimension{Version})
		require.NoError(t, err)
		require.Equal(t, "1.9.0", b.Rows[0].Part.Version, "six hours mix two incidents")
		require.InDelta(t, 0.86, float64(b.Rows[0].Events.Bad)/float64(b.Events.Bad), 0.01)

		b, err = s.Break(l, a, second, a.Next, []Dimension{Version})
		require.NoError(t, err)
		assert.Equal(t, Row{Part{Version: "1.9.1"}, slo.Events{Total: 60 * 300, Bad: 60 * 36}}, b.Rows[0])
		assert.Equal(t, Row{Part{Version: "1.9.0"}, slo.Events{Total: 60 * 500, Bad: 6}}, b.Rows[1])
		assert.Equal(t, slo.Events{Total: 60 * 800, Bad: 60*36 + 6}, b.Events)
	})
}

// TestFractionsAreOwed books parts of fractions: over an hour each has its events, rounded.
func TestFractionsAreOwed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slo.db")
	const start = ledger.Minute(29_000_040)
	want := map[string]float64{"a": 0.25, "b": 1.5, "c": 0.05, "d": 10}
	within(t, path, func(l *ledger.Ledger, s *Store) {
		a, _, err := l.Open("o", start, "")
		require.NoError(t, err)
		for range 60 {
			var deltas []Delta
			for version, n := range want {
				deltas = append(deltas, Delta{Part{Version: version}, a.Next, false, n})
			}
			enter(t, l, s, a, a.Next, a.Next+1, deltas)
		}
		b, err := s.Break(l, a, start, a.Next, []Dimension{Version})
		require.NoError(t, err)
		require.Len(t, b.Rows, 4)
		for _, r := range b.Rows {
			assert.InDelta(t, 60*want[r.Part.Version], float64(r.Events.Total), 1, r.Part.Version)
		}
	})
}

// TestLateEvents books events of minutes that have parts already: only as many as the ledger took.
func TestLateEvents(t *testing.T) {
	shop := key{part: Part{Service: "shop"}}
	late := Delta{Part{Service: "late"}, 0, false, 3}
	for name, c := range map[string]struct {
		ledger uint64
		deltas []Delta
		fresh  bool
		want   map[string]uint64
	}{
		"taken":                      {13, []Delta{late}, false, map[string]uint64{"shop": 10, "late": 3}},
		"not taken":                  {10, []Delta{late}, false, map[string]uint64{"shop": 10}},
		"taken in part":              {11, []Delta{late}, false, map[string]uint64{"shop": 10, "late": 1}},
		"parts were not kept before": {500, []Delta{late}, false, map[string]uint64{"shop": 10, "late": 3}},
		"of no known part":           {13, nil, true, map[string]uint64{"shop": 10, Other: 3}},
		"the ledger has fewer":       {7, []Delta{late}, true, map[string]uint64{"shop": 10}},
	} {
		t.Run(name, func(t *testing.T) {
			table := newTable(60)
			table.at(shop).n[0] = 10
			table.book(0, slo.Events{Total: c.ledger}, c.deltas, c.fresh)
			got := map[string]uint64{}
			for i := range table.rows {
				if n := table.rows[i].sum(); n > 0 {
					got[table.rows[i].part.Service] = n
				}
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// TestLateEventsOfMinutes books events that the ledger did not take, of minutes before, within and after the account: parts stay as they are.
func TestLateEventsOfMinutes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slo.db")
	const start = ledger.Minute(29_000_217)
	within(t, path, func(l *ledger.Ledger, s *Store) {
		a, _, err := l.Open("o", start, "")
		require.NoError(t, err)
		stray := []Delta{{Part{Version: "2"}, start - 90, false, 3}, {Part{Version: "2"}, start + 3, true, 3}, {Part{Version: "2"}, start + 900, false, 3}}
		require.NoError(t, s.Book(l, a, a.Next, stray), "there is no minute yet")
		enter(t, l, s, a, start, start+90, []Delta{{Part{Version: "1"}, start, false, 10}, {Part{Version: "1"}, start + 70, false, 10}})
		require.NoError(t, s.Book(l, a, a.Next, stray))
		b, err := s.Break(l, a, start, a.Next, []Dimension{Version})
		require.NoError(t, err)
		assert.Equal(t, []Row{{Part{Version: "1"}, slo.Events{Total: 20}}}, b.Rows)
		requireSums(t, l, s, a)
	})
}

// TestDamageIsReported reads tables and keys that are damaged.
func TestDamageIsReported(t *testing.T) {
	for name, use := range map[string]func(l *ledger.Ledger, s *Store, a *ledger.Account) error{
		"break": func(l *ledger.Ledger, s *Store, a *ledger.Account) error {
			_, err := s.Break(l, a, a.First, a.Next, Dimensions)
			return err
		},
		"book":  func(l *ledger.Ledger, s *Store, a *ledger.Account) error { return s.Book(l, a, a.First, nil) },
		"prune": func(_ *ledger.Ledger, s *Store, a *ledger.Account) error { return s.Prune(a.Next+100, 0) },
		"shift": func(_ *ledger.Ledger, s *Store, a *ledger.Account) error { return s.Shift(a, a.First, a.Next, 5) },
		"give up": func(_ *ledger.Ledger, s *Store, a *ledger.Account) error {
			_, err := s.GiveUpMinutes(1, a.Next+100)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "slo.db")
			within(t, path, func(l *ledger.Ledger, s *Store) {
				a, _, err := l.Open("o", 29_000_040, "")
				require.NoError(t, err)
				enter(t, l, s, a, a.Next, a.Next+1, []Delta{{Part{}, a.Next, false, 1}})
				require.NoError(t, s.minutes.Put(keyOf(hourOf(a.First), a.ID), []byte{9}))
				require.ErrorIs(t, use(l, s, a), state.ErrCorrupt)
				require.NoError(t, s.minutes.Put(keyOf(hourOf(a.First), a.ID), []byte{}))
				require.ErrorIs(t, use(l, s, a), state.ErrCorrupt)
			})
		})
	}
	within(t, filepath.Join(t.TempDir(), "slo.db"), func(_ *ledger.Ledger, s *Store) {
		require.NoError(t, s.minutes.Put([]byte("key"), nil))
		require.ErrorIs(t, s.Prune(1, 1), state.ErrCorrupt)
		_, _, err := s.First()
		require.ErrorIs(t, err, state.ErrCorrupt)
	})
}

// TestHoursWidenARange breaks a part of an hour down that is kept by hour only: the answer is of the whole hour, and says so.
func TestHoursWidenARange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slo.db")
	const start = ledger.Minute(29_000_160) // 00:00 of an hour, and not of a day
	within(t, path, func(l *ledger.Ledger, s *Store) {
		a, _, err := l.Open("o", start, "")
		require.NoError(t, err)
		var deltas []Delta
		for m := start; m < start+5*60; m++ {
			deltas = append(deltas, Delta{Part{Version: "1"}, m, false, 10})
		}
		enter(t, l, s, a, start, start+5*60, deltas)
		require.NoError(t, s.Prune(start+3*60+30, 0))
		all, byMinute, err := s.First()
		require.NoError(t, err)
		assert.Equal(t, start+3*60, byMinute, "the hour of the horizon stays")
		assert.Less(t, all, start+1)

		for name, c := range map[string]struct{ from, to, wantFrom, wantTo ledger.Minute }{
			"within an hour":    {70, 80, 60, 120},
			"of two hours":      {70, 130, 60, 180},
			"whole hours":       {60, 120, 60, 120},
			"into the minutes":  {170, 200, 120, 200},
			"minutes":           {181, 200, 181, 200},
			"more than all":     {-600, 6000, 0, 300},
			"the first minutes": {0, 1, 0, 60},
		} {
			b, err := s.Break(l, a, start+c.from, start+c.to, []Dimension{Version})
			require.NoError(t, err)
			assert.Equal(t, []ledger.Minute{start + c.wantFrom, start + c.wantTo}, []ledger.Minute{b.From, b.To}, name)
			assert.Equal(t, slo.Events{Total: uint64(10 * (c.wantTo - c.wantFrom))}, b.Events, name)
			assert.Zero(t, b.Uncovered, name)
			require.Len(t, b.Rows, 1, name)
			assert.Equal(t, b.Events, b.Rows[0].Events, name)
		}

		require.NoError(t, s.Prune(start+3*60+30, start+minutesPerDay))
		b, err := s.Break(l, a, start, a.Next, []Dimension{Version})
		require.NoError(t, err)
		assert.Equal(t, slo.Events{Total: 10 * 180}, b.Uncovered, "its hours were deleted")
	})
}

// TestHoursFollowTheClock sets the clock back beyond hours: a clock that was ahead for more than a week has turned its minutes into hours.
func TestHoursFollowTheClock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slo.db")
	const start, ahead = ledger.Minute(29_000_160), ledger.Minute(40 * minutesPerDay)
	within(t, path, func(l *ledger.Ledger, s *Store) {
		a, _, err := l.Open("o", start, "")
		require.NoError(t, err)
		rnd := rand.New(rand.NewPCG(8, 8))
		enter(t, l, s, a, start, start+500, traffic(rnd, start, start+500, 2, true))
		require.NoError(t, l.Skip(a, start+ahead))
		enter(t, l, s, a, a.Next, a.Next+2000, traffic(rnd, a.Next, a.Next+2000, 2, true))
		require.NoError(t, s.Prune(a.Next-300, 0))
		before, err := s.Break(l, a, start, a.Next, []Dimension{Service, Operation, Version})
		require.NoError(t, err)
		require.Zero(t, before.Uncovered)

		was, next := a.Next, start+600
		require.NoError(t, l.Shift(a, next, ahead))
		require.NoError(t, s.Shift(a, next, was, ahead))
		after, err := s.Break(l, a, a.First, a.Next, []Dimension{Service, Operation, Version})
		require.NoError(t, err)
		assert.Equal(t, before.Events, after.Events)
		assert.Equal(t, before.Rows, after.Rows)
		assert.Zero(t, after.Uncovered)
	})
}
