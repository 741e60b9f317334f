package ledger_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

// lateModel is a ledger of one account as two maps.
type lateModel struct {
	first, next ledger.Minute
	all, late   map[ledger.Minute]slo.Events
}

func (m *lateModel) add(minute ledger.Minute, e slo.Events, late bool) {
	late = late || minute < m.first
	minute = max(minute, m.first)
	m.all[minute] = m.all[minute].Add(e)
	if late {
		m.late[minute] = m.late[minute].Add(e)
	}
}

// check compares sums and late events of random windows with the model's.
func (m *lateModel) check(t *testing.T, rng *rand.Rand, l *ledger.Ledger, a *ledger.Account) {
	t.Helper()
	stored, ok, err := l.Find(a.Name)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, a, stored)
	for range 20 {
		from := m.first - 5 + ledger.Minute(rng.Int64N(int64(m.next-m.first)+10))
		to := from + ledger.Minute(rng.Int64N(200))
		var sum, late slo.Events
		for i := from; i < to; i++ {
			sum, late = sum.Add(m.all[i]), late.Add(m.late[i])
		}
		got, err := l.Sum(a, from, to)
		require.NoError(t, err)
		require.Equal(t, sum, got, "%d to %d", from-m.first, to-m.first)
		got, err = l.Late(a, from, to)
		require.NoError(t, err)
		require.Equal(t, late, got, "late, %d to %d", from-m.first, to-m.first)
	}
}

// TestAddEarlier checks that minutes have what was added to them later, and windows over them, whatever else happens to the account:
// new minutes, gaps, a clock that was set back, and a file that is opened again.
func TestAddEarlier(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		file := filepath.Join(t.TempDir(), "l.db")
		db := open(t, file)
		const first = ledger.Minute(500*60 + 20)
		m := &lateModel{first: first, next: first, all: map[ledger.Minute]slo.Events{}, late: map[ledger.Minute]slo.Events{}}
		for range 60 {
			require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
				l := ledger.New(tx)
				a, _, err := l.Open("a", first, "")
				require.NoError(t, err)
				switch rng.IntN(12) {
				case 0:
					m.next += 240 + ledger.Minute(rng.Int64N(500))
					require.NoError(t, l.Skip(a, m.next))
				case 1:
					next := max(m.next-ledger.Minute(rng.Int64N(30)), m.first+1)
					by := max(m.next-next, 1)
					old := *m
					m.all, m.late = map[ledger.Minute]slo.Events{}, map[ledger.Minute]slo.Events{}
					for i, e := range old.all {
						if i >= next && next < old.next {
							i = max(i-by, m.first)
						}
						m.all[i] = m.all[i].Add(e)
					}
					for i, e := range old.late {
						if i >= next && next < old.next {
							i = max(i-by, m.first)
						}
						m.late[i] = m.late[i].Add(e)
					}
					m.next = min(m.next, next)
					require.NoError(t, l.Shift(a, next, by))
				default:
					deltas := make([]ledger.Delta, 1+rng.IntN(70))
					for i := range deltas {
						e := slo.Events{Total: rng.Uint64N(9), Bad: rng.Uint64N(3)}
						deltas[i] = ledger.Delta{Total: float64(e.Total), Bad: float64(e.Bad)}
						m.all[m.next+ledger.Minute(i)] = e
					}
					require.NoError(t, l.Append(a, m.next, deltas))
					m.next += ledger.Minute(len(deltas))
				}
				var all []ledger.Earlier
				for range min(rng.IntN(4), int(m.next-first)) { // an account without minutes has no earlier ones
					e := ledger.Earlier{Minute: m.next - 1 - ledger.Minute(rng.Int64N(25)), Late: rng.IntN(3) == 0,
						Delta: ledger.Delta{Total: float64(rng.IntN(5)), Bad: float64(rng.IntN(5))}}
					all = append(all, e)
					m.add(e.Minute, slo.Events{Total: uint64(e.Total), Bad: uint64(e.Bad)}, e.Late)
				}
				require.NoError(t, l.AddEarlier(a, all))
				m.check(t, rng, l, a)
				return nil
			}), "seed %d", seed)
			if rng.IntN(10) == 0 {
				require.NoError(t, db.Close())
				db = open(t, file)
			}
		}
	}
}

// TestAddEarlierCarriesFractions checks that fractions are rounded in sum, not one by one.
func TestAddEarlierCarriesFractions(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "l.db"))
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		l := ledger.New(tx)
		a, _, err := l.Open("a", 100, "")
		require.NoError(t, err)
		for range 10 {
			require.NoError(t, l.Append(a, a.Next, []ledger.Delta{{Total: 0.2}}))
			require.NoError(t, l.AddEarlier(a, []ledger.Earlier{{Minute: a.Next - 3, Delta: ledger.Delta{Total: 0.3}}}))
		}
		assert.Equal(t, slo.Events{Total: 5}, a.Events())
		return nil
	}))
}

// TestLateIsForgotten checks that events stay when it is forgotten that they were late, and that nothing but that is forgotten.
func TestLateIsForgotten(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "l.db"))
	const first, week = ledger.Minute(60_000), ledger.Minute(7 * 24 * 60)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		l := ledger.New(tx)
		a, _, err := l.Open("a", first, "")
		require.NoError(t, err)
		late := func() {
			require.NoError(t, l.Append(a, a.Next, []ledger.Delta{{}}))
			require.NoError(t, l.AddEarlier(a, []ledger.Earlier{{Minute: a.Next - 1, Late: true, Delta: ledger.Delta{Total: 3}}}))
		}
		late()
		require.NoError(t, l.Skip(a, first+week+200))
		late()
		require.NoError(t, l.Prune(first))
		sum, err := l.Sum(a, first, a.Next)
		require.NoError(t, err)
		assert.EqualValues(t, 6, sum.Total)
		got, err := l.Late(a, first, a.Next)
		require.NoError(t, err)
		assert.EqualValues(t, 3, got.Total)
		entries := 0
		require.NoError(t, tx.Bucket([]byte("ledger_late")).ForEach(func(_, _ []byte) error { entries++; return nil }))
		assert.Equal(t, 1, entries)
		return nil
	}))
}
