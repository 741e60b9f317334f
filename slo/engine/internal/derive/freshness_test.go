package derive

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/ledger"
)

// monday is the first minute of a week.
var monday = ledger.Elapsed(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))

const hour = ledger.Minute(60)

var fresh = slo.Objective{Name: "fresh", Indicator: slo.Indicator{Type: slo.Freshness, Phi: 8},
	Tiers: []slo.Tier{{Severity: slo.Page, LongWindow: time.Hour, ShortWindow: 5 * time.Minute, Share: 0.02}}}

// firstBad returns the first bad minute after from, relative to it, or -1.
func firstBad(bad map[ledger.Minute]bool, from, to ledger.Minute) ledger.Minute {
	for m := from; m < to; m++ {
		if bad[m] {
			return m - from
		}
	}
	return -1
}

// TestFreshness checks when silences become bad, for kinds of traffic, and that none is bad before.
func TestFreshness(t *testing.T) {
	always := func(ledger.Minute) bool { return true }
	byDay := func(m ledger.Minute) bool { h := (m - monday) / hour % 24; return h >= 8 && h < 18 }
	workdays := func(m ledger.Minute) bool { return (m-monday)/day%7 < 5 && byDay(m) }
	halfHourly := func(m ledger.Minute) bool { return m%30 == 0 }
	every5 := func(m ledger.Minute) bool { return m%5 == 2 }
	every7 := func(m ledger.Minute) bool { return m%7 == 0 }
	const never = 1 << 40
	for name, c := range map[string]struct {
		usual func(ledger.Minute) bool
		// stops and ends are after the first monday; traffic stops for good at the first.
		stops, ends ledger.Minute
		min, max    ledger.Minute // when it is bad after it stopped; -1 is never
	}{
		"an hour known":                       {always, 1 * hour, 3 * hour, -1, -1},
		"two hours known":                     {always, 2*hour + 10, 5 * hour, 29, 29},
		"every five minutes":                  {every5, 5*hour + 3, 8 * hour, 29, 29},
		"every seven minutes":                 {every7, 5 * hour, 20 * hour, -1, -1},
		"a week known":                        {always, 8*day + 3*hour, 8*day + 9*hour, 5, 8},
		"two weeks known":                     {always, 15*day + 3*hour, 15*day + 9*hour, 5, 8},
		"a job each half hour":                {halfHourly, 15*day + 3*hour + 1, 15*day + 9*hour, 40, 80},
		"at night, when there is none":        {byDay, 15*day + 18*hour, 16*day + 8*hour, -1, -1},
		"in the morning, when it should come": {byDay, 15*day + 18*hour, 16*day + 12*hour, 14 * hour, 14*hour + 45},
		"on a weekend":                        {workdays, 18*day + 18*hour, 21*day + 8*hour, -1, -1},
		"on the monday after":                 {workdays, 18*day + 18*hour, 21*day + 12*hour, 62 * hour, 62*hour + 45},
		"a bit before it usually ends":        {byDay, 15*day + 16*hour, 15*day + 17*hour, 5, 8},
		"it does not stop":                    {always, never, 10 * day, 0, 0},
		"a job that does not stop":            {halfHourly, never, 16 * day, 0, 0},
		"days that do not stop":               {workdays, never, 22 * day, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(l *ledger.Ledger) {
				stops, ends := monday+c.stops, monday+c.ends
				bad := book(t, l, fresh, monday, ends, func(m ledger.Minute) (float64, bool) {
					if c.usual(m) && m < stops {
						return 100, true
					}
					return 0, true
				})
				first := monday
				if ends > monday+week { // in the first week a pause of half an hour is a ticket
					first += week + day // when the silence of the first Sunday is over
				}
				assert.EqualValues(t, -1, firstBad(bad, first, min(stops, ends)), "false alarm")
				assert.Len(t, bad, int(ends-monday), "each minute counts")
				if c.stops == never {
					return
				}
				got := firstBad(bad, stops, ends)
				assert.True(t, c.min <= got && got <= c.max, "bad after %d minutes, want %d to %d", got, c.min, c.max)
				for m := stops + max(got, 0); got >= 0 && m < ends; m++ {
					assert.True(t, bad[m], "it stays bad until there is traffic: %d", m-stops)
				}
			})
		})
	}
}

// Independent requests, ten minutes apart on average, give no false alarm in five weeks.
func TestFreshnessOfSparseTraffic(t *testing.T) {
	within(t, func(l *ledger.Ledger) {
		rnd := rand.New(rand.NewPCG(1, 5))
		bad := book(t, l, fresh, monday, monday+35*day, func(ledger.Minute) (float64, bool) {
			if rnd.IntN(10) == 0 {
				return 1, true
			}
			return 0, true
		})
		assert.EqualValues(t, -1, firstBad(bad, monday, monday+35*day))
	})
}

// Minutes without a gateway are neither bad nor silence, and nothing is learnt of them.
func TestFreshnessWithoutGateway(t *testing.T) {
	within(t, func(l *ledger.Ledger) {
		away := func(m ledger.Minute) bool { // for three hours on the first tuesday and the second, and the last ten minutes
			at := m - monday
			return at >= day+3*hour && at < day+6*hour || at >= 8*day+3*hour && at < 8*day+6*hour || at >= 8*day+12*hour+1
		}
		end := monday + 8*day + 12*hour + 11
		bad := book(t, l, fresh, monday, end, func(m ledger.Minute) (float64, bool) { return 10, !away(m) })
		assert.EqualValues(t, -1, firstBad(bad, monday, end))
		assert.Len(t, bad, int(8*day+12*hour+11)-2*180-10)
	})
}

// Until a week is known a silence is a ticket, and so are the tiers that would page.
func TestSilenceOfAnAssessment(t *testing.T) {
	for _, c := range []struct {
		known    ledger.Minute
		severity slo.Severity
	}{{3 * hour, slo.Ticket}, {7*day - hour, slo.Ticket}, {8 * day, slo.Page}} {
		within(t, func(l *ledger.Ledger) {
			stops := monday + c.known
			book(t, l, fresh, monday, stops+40, func(m ledger.Minute) (float64, bool) { return 1, m < stops })
			// The gateway was away as of then.
			a, _, err := l.Find(fresh.Name)
			require.NoError(t, err)
			for last, want := range map[ledger.Minute]bool{stops - 1: false, stops + 39: false, stops + 50: false} {
				as := alert.Assess(fresh, last.End(), func(time.Duration) slo.Events { return slo.Events{} })
				require.NoError(t, AssessSilence(l, a, last, &as))
				assert.Equal(t, want, as.Silence != nil)
				assert.Equal(t, c.severity, as.Tiers[0].Severity)
			}
		})
		within(t, func(l *ledger.Ledger) {
			stops := monday + c.known
			book(t, l, fresh, monday, stops+40, func(m ledger.Minute) (float64, bool) {
				if m < stops {
					return 1, true
				}
				return 0, true
			})
			a, _, err := l.Find(fresh.Name)
			require.NoError(t, err)
			as := alert.Assess(fresh, (stops + 39).End(), func(time.Duration) slo.Events { return slo.Events{} })
			require.NoError(t, AssessSilence(l, a, stops+39, &as))
			require.NotNil(t, as.Silence)
			assert.Equal(t, c.severity, as.Silence.Severity)
			assert.Equal(t, stops.Start(), as.Silence.Since)
			if c.severity == slo.Page {
				assert.Equal(t, time.Minute, as.Silence.Usual)
				assert.Greater(t, as.Silence.Phi, 8.0)
			} else {
				assert.Zero(t, as.Silence.Usual)
			}
		})
	}
}
