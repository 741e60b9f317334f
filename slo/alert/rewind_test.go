package alert_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
)

// TestRewind checks that only times after the given one move.
func TestRewind(t *testing.T) {
	before, after := t0.Add(-time.Hour), t0.Add(time.Hour)
	for name, c := range map[string]struct {
		since, page, ticket             time.Time
		wantSince, wantPage, wantTicket time.Time
		changed                         bool
	}{
		"nothing is later": {before, before, t0, before, before, t0, false},
		"since":            {after, before, before, t0, before, before, true},
		"of one severity":  {before, before, after, before, before, t0, true},
		"all":              {after, after, after, t0, t0, t0, true},
		"to the moment":    {t0, t0, t0.Add(time.Nanosecond), t0, t0, t0, true},
	} {
		t.Run(name, func(t *testing.T) {
			a := alert.Alert{Since: c.since, LastActive: map[slo.Severity]time.Time{slo.Page: c.page, slo.Ticket: c.ticket}}
			assert.Equal(t, c.changed, a.Rewind(t0))
			assert.Equal(t, alert.Alert{Since: c.wantSince, LastActive: map[slo.Severity]time.Time{slo.Page: c.wantPage, slo.Ticket: c.wantTicket}}, a)
			assert.False(t, a.Rewind(t0), "once is enough")
		})
	}
	var a alert.Alert
	assert.False(t, a.Rewind(t0))
}

// TestCloseChangesOnlyWhatFires checks that Close resolves only a firing alert, and its texts.
func TestCloseChangesOnlyWhatFires(t *testing.T) {
	for _, state := range []alert.State{"", alert.Inactive, alert.Pending, alert.Resolved} {
		a := alert.Alert{State: state, Objective: "o"}
		assert.False(t, a.Close(t0), state)
		assert.Equal(t, alert.Alert{State: state, Objective: "o"}, a)
	}
	a := alert.Alert{State: alert.Firing, Objective: "o", ID: "i", LastActive: map[slo.Severity]time.Time{slo.Page: t0}}
	assert.True(t, a.Close(t0))
	const summary = "o is no longer configured, so its alert was resolved."
	assert.Equal(t, alert.Alert{State: alert.Resolved, Objective: "o", ID: "i", Since: t0, EndsAt: t0, UpdatedAt: t0,
		Summary: summary, Annotations: map[string]string{"summary": summary}}, a)
}
