package covered

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

// inLedger runs f on the ledger of a new file.
func inLedger(t *testing.T, f func(*ledger.Ledger)) {
	t.Helper()
	db, err := state.Open(filepath.Join(t.TempDir(), "l.db"), state.Options{Buckets: ledger.Buckets})
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		f(ledger.New(tx))
		return nil
	}))
	require.NoError(t, db.Close())
}

// Of gives each minute the least reason of the outages that it lies in, and the other reason otherwise.
func TestOutagesOfMinutes(t *testing.T) {
	const span = 60
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var o Outages
		var model [span]ledger.Reason
		for range rnd.IntN(6) {
			from := ledger.Minute(rnd.IntN(span))
			r := ledger.Run{From: from, To: from + ledger.Minute(rnd.IntN(20)), Reason: ledger.Reason(1 + rnd.IntN(4))}
			o.Add(r)
			for m := r.From; m < min(r.To, span); m++ {
				if model[m] == 0 || r.Reason < model[m] {
					model[m] = r.Reason
				}
			}
		}
		if rnd.IntN(2) == 0 {
			cut := ledger.Minute(rnd.IntN(span))
			o.Forget(cut)
			clear(model[cut:])
		}
		for _, other := range []ledger.Reason{0, ledger.NoValue} {
			var got [span]ledger.Reason
			last := ledger.Run{}
			for _, part := range o.Of(0, span, other) {
				require.GreaterOrEqual(t, part.From, last.To)
				require.False(t, part.From == last.To && part.Reason == last.Reason && last.To > 0, "one run is in one piece")
				for m := part.From; m < part.To; m++ {
					got[m] = part.Reason
				}
				last = part
			}
			want := model
			for m := range want {
				if want[m] == 0 {
					want[m] = other
				}
			}
			require.Equal(t, want, got, "seed %d", seed)
		}
	}
}

func TestOutagesAreBounded(t *testing.T) {
	var o Outages
	for i := range ledger.Minute(3 * maxOutages) {
		o.Add(ledger.Run{From: 10 * i, To: 10*i + 1, Reason: ledger.DatabaseAway})
	}
	assert.Len(t, o.runs, maxOutages)
	assert.Empty(t, o.Of(0, 10, 0), "the oldest are gone")
	assert.Len(t, o.Of(10*(3*maxOutages-1), 10*3*maxOutages, 0), 1)
	o = Outages{}
	for i := range ledger.Minute(100) {
		o.Add(ledger.Run{From: 50, To: 60 + i, Reason: ledger.DatabaseAway})
	}
	assert.Len(t, o.runs, 1, "one that goes on is one")
}

// Record tells a quiet minute of spans from one that was not measured.
func TestRecord(t *testing.T) {
	const first = ledger.Minute(29_000_000)
	var down, away Outages
	down.Add(ledger.Run{From: first + 2, To: first + 8, Reason: ledger.GatewayDown})
	away.Add(ledger.Run{From: first + 2, To: first + 8, Reason: ledger.DatabaseAway})
	samples := func(minutes ...int) []bool {
		has := make([]bool, 10)
		for _, m := range minutes {
			has[m] = true
		}
		return has
	}
	run := func(from, to ledger.Minute, why ledger.Reason) ledger.Run {
		return ledger.Run{From: first + from, To: first + to, Reason: why}
	}
	for name, c := range map[string]struct {
		in       Minutes
		want     []ledger.Run // the latest first
		measured ledger.Minute
	}{
		"a quiet service":                   {Minutes{Has: samples(0, 1), Spans: true, Outages: &Outages{}}, nil, 10},
		"the gateway was down":              {Minutes{Has: samples(0, 1, 2, 7, 8, 9), Spans: true, Outages: &down}, []ledger.Run{run(3, 7, ledger.GatewayDown)}, 6},
		"it was down, and all was quiet":    {Minutes{Has: samples(), Spans: true, Outages: &down}, []ledger.Run{run(2, 8, ledger.GatewayDown)}, 4},
		"another gateway counted meanwhile": {Minutes{Has: samples(0, 1, 2, 3, 4, 5, 6, 7), Spans: true, Outages: &down}, nil, 10},
		"the database was away":             {Minutes{Has: samples(0, 1, 8), Spans: true, Outages: &away, Recovers: 60}, []ledger.Run{run(2, 8, ledger.CountedLate)}, 10},
		"it is away":                        {Minutes{Has: samples(0, 1), Spans: true, Outages: &away, Recovers: 60}, []ledger.Run{run(2, 8, ledger.DatabaseAway)}, 4},
		"it was away for too long":          {Minutes{Has: samples(0, 1, 8), Spans: true, Outages: &away, Recovers: 5}, []ledger.Run{run(2, 8, ledger.DatabaseAway)}, 4},
		"counts do not arrive": {Minutes{Has: samples(0, 1, 2), Spans: true, Outages: &Outages{}, Unread: (first + 4).End()},
			[]ledger.Run{run(4, 10, ledger.DatabaseAway)}, 4},
		"counts of later minutes are on their way": {Minutes{Has: samples(0), Spans: true, Outages: &Outages{}, Unread: (first + 12).End()}, nil, 10},
		"a query without a value":                  {Minutes{Has: samples(0, 1, 9), Outages: &Outages{}}, []ledger.Run{run(2, 9, ledger.NoValue)}, 3},
		"a query while the gateway was down": {Minutes{Has: samples(0, 1, 9), Outages: &down},
			[]ledger.Run{run(8, 9, ledger.NoValue), run(2, 8, ledger.GatewayDown)}, 3},
		"it is back, and all was quiet": {Minutes{Has: samples(0), Any: samples(0, 9), Spans: true, Outages: &away, Recovers: 60},
			[]ledger.Run{run(2, 8, ledger.CountedLate)}, 10},
		"it was away twice": {Minutes{Has: samples(0, 1, 4, 9), Spans: true, Outages: &away, Recovers: 60},
			[]ledger.Run{run(5, 8, ledger.CountedLate), run(2, 4, ledger.CountedLate)}, 10},
		"a gap without any sample": {Minutes{Outages: &down, Spans: true}, []ledger.Run{run(2, 8, ledger.GatewayDown)}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			inLedger(t, func(l *ledger.Ledger) {
				a, _, err := l.Open("a", first, "")
				require.NoError(t, err)
				require.NoError(t, l.Append(a, first, make([]ledger.Delta, 10)))
				c.in.To = first + 10
				if c.in.Any == nil {
					c.in.Any = c.in.Has
				}
				require.NoError(t, Record(l, a, first, c.in))
				runs, _, err := l.Runs(a, first, first+10, 10)
				require.NoError(t, err)
				assert.Equal(t, c.want, runs)
				var got [1]ledger.Covered
				require.NoError(t, l.Coverage(a, first+10, []ledger.Minute{60}, got[:]))
				assert.Equal(t, ledger.Covered{Seen: 10, Measured: c.measured}, got[0])
			})
		})
	}
}

func TestWindowsAreSortedAndUnique(t *testing.T) {
	o := slo.Objective{Window: 28 * 24 * time.Hour, Tiers: []slo.Tier{
		{LongWindow: 10 * time.Minute, ShortWindow: 2 * time.Minute}, {LongWindow: time.Hour, ShortWindow: 5 * time.Minute},
	}}
	assert.Equal(t, []time.Duration{2 * time.Minute, 5 * time.Minute, 10 * time.Minute, time.Hour, 28 * 24 * time.Hour},
		Windows(o, []time.Duration{time.Hour, 5 * time.Minute}))
}

// A young window is expected to go on like the weeks that are known: 1 event a minute by night and 100 by day, of which the latest
// days would give a wrong idea.
func TestExpectedByHourOfWeek(t *testing.T) {
	const month = 30 * 24 * 60
	o := slo.Objective{Window: month * time.Minute}
	rate := func(m ledger.Minute) float64 {
		switch day := m / (24 * 60) % 7; {
		case day >= 5:
			return 1 // the weekend
		case m/60%24 >= 8 && m/60%24 < 20:
			return 100
		default:
			return 1
		}
	}
	first := ledger.Minute(29_000_000) / (7 * 24 * 60) * (7 * 24 * 60)
	for name, c := range map[string]struct {
		minutes, hole ledger.Minute
		byWeek        bool
	}{
		"less than two weeks": {14*24*60 - 1, 0, false},
		"two weeks":           {14 * 24 * 60, 0, true},
		"with a gap":          {16*24*60 + 17, 300, true},
		"four weeks":          {28*24*60 + 1, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			inLedger(t, func(l *ledger.Ledger) {
				a, _, err := l.Open("a", first, "")
				require.NoError(t, err)
				deltas := make([]ledger.Delta, c.minutes)
				truth := 0.0 // of the whole window, if it had been seen
				to := first + c.minutes
				for i := range deltas {
					m := first + ledger.Minute(i)
					if i < 2000 || i >= 2000+int(c.hole) {
						deltas[i].Total = rate(m)
					}
				}
				for m := to - month; m < to; m++ {
					truth += rate(m)
				}
				require.NoError(t, l.Append(a, first, deltas))
				require.NoError(t, l.Miss(a, ledger.Run{From: first + 2000, To: first + 2000 + c.hole, Reason: ledger.GatewayDown}))
				r, err := Read(l, a, nil, to, Windows(o, nil))
				require.NoError(t, err)
				w := r.Window(o.Window)
				var week Whole
				got, err := Expected(l, a, o, to, w, &week)
				require.NoError(t, err)
				if !c.byWeek {
					assert.InDelta(t, w.Coverage.Expected(w.Events), got, 0)
					return
				}
				assert.InEpsilon(t, truth, got, 0.02)
				again, err := Expected(l, a, o, to, w, &week)
				require.NoError(t, err)
				assert.InDelta(t, got, again, 0)
			})
		})
	}
}
