package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/slo"
)

func TestAbout(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "less than a minute", time.Minute - 1: "less than a minute", time.Minute: "1m", 89 * time.Second: "1m", 90 * time.Second: "2m",
		2*time.Hour - time.Minute: "119m", 2 * time.Hour: "2h", 150 * time.Minute: "3h", 72*time.Hour - time.Hour: "71h",
		72 * time.Hour: "3d", 84 * time.Hour: "4d", 83 * time.Hour: "3d", 30 * 24 * time.Hour: "30d",
	} {
		assert.Equal(t, want, about(d), d)
	}
}

func TestNumber(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", 0.234: "0.23", 0.0000123: "1.2e-05", 0.999: "1", 1: "1.0", 16.24: "16.2", 99.94: "99.9", 100: "100", 1000.4: "1000",
	} {
		assert.Equal(t, want, number(f), f)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0", 999: "999", 1000: "1,000", 25431: "25,431", 999999: "999,999", 1000000: "1,000,000", 1 << 63: "9,223,372,036,854,775,808",
	} {
		assert.Equal(t, want, thousands(n))
	}
}

// Rewind moves times after now to now, and leaves others.
func TestRewindTimes(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	past, ahead := now.Add(-time.Hour), now.Add(time.Hour)
	for name, test := range map[string]struct {
		since, page, ticket time.Time
		changed             bool
	}{
		"nothing ahead":  {past, past, now, false},
		"the state":      {ahead, past, past, true},
		"one severity":   {past, ahead, past, true},
		"the other":      {past, past, ahead, true},
		"all":            {ahead, ahead, ahead, true},
		"at the instant": {now, now, now, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := Alert{Since: test.since, LastActive: map[slo.Severity]time.Time{slo.Page: test.page, slo.Ticket: test.ticket}}
			assert.Equal(t, test.changed, a.Rewind(now))
			back := func(at time.Time) time.Time {
				if at.Equal(ahead) {
					return now
				}
				return at
			}
			assert.Equal(t, back(test.since), a.Since)
			assert.Equal(t, map[slo.Severity]time.Time{slo.Page: back(test.page), slo.Ticket: back(test.ticket)}, a.LastActive)
		})
	}
}
