package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/book"
)

// TestOrderOfAlerts checks the order of alerts: pages, tickets, pending ones; the latest of each first; then resolved ones,
// latest end first.
func TestOrderOfAlerts(t *testing.T) {
	e := openAt(t, parse(t, twoObjectives), newFakeTSDB(), noon)
	defer closeIt(t, e)
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	current := func(objective string, state alert.State, severity slo.Severity, since, starts int) {
		require.NoError(t, e.db.Update(func(tx *bbolt.Tx) error {
			return book.PutAlert(tx, alert.Alert{Objective: objective, State: state, Severity: severity, Since: at(since), StartsAt: at(starts)})
		}))
	}
	current("a page", alert.Firing, slo.Page, 9, 1)
	current("a later page", alert.Firing, slo.Page, 8, 2)
	current("a ticket", alert.Firing, slo.Ticket, 3, 3)
	current("another ticket", alert.Firing, slo.Ticket, 3, 3)
	current("a pending page", alert.Pending, slo.Page, 5, 99)
	current("a later pending ticket", alert.Pending, slo.Ticket, 6, 0)
	current("nothing", alert.Inactive, "", 7, 7)
	current("what is over", alert.Resolved, slo.Page, 7, 7)
	require.NoError(t, e.db.Update(func(tx *bbolt.Tx) error {
		for i, id := range []string{"first", "second"} {
			if err := book.Archive(tx, alert.Alert{Objective: id, State: alert.Resolved, StartsAt: at(i), EndsAt: at(10 + i)}); err != nil {
				return err
			}
		}
		return nil
	}))
	all, err := e.Alerts()
	require.NoError(t, err)
	var list []string
	for _, a := range all.Alerts {
		list = append(list, a.Objective)
		assert.Equal(t, a.State == alert.Resolved, a.EndsAt != nil, a.Objective)
		assert.NotNil(t, a.Labels)
		assert.NotNil(t, a.Annotations)
	}
	assert.Equal(t, []string{"a later page", "a page", "a ticket", "another ticket", "a later pending ticket", "a pending page", "second", "first"}, list)
	assert.Equal(t, at(6), all.Alerts[4].StartsAt, "a pending one starts when it began to pend")
	assert.Equal(t, at(2), all.Alerts[0].StartsAt)
	assert.Equal(t, at(11), *all.Alerts[6].EndsAt)
}

func TestUnknownObjectiveHasNoStatus(t *testing.T) {
	e := created(t, parse(t, twoObjectives))
	_, ok := e.Status("nobody")
	assert.False(t, ok)
	s, ok := e.Status("b")
	assert.True(t, ok)
	assert.Equal(t, "b", s.Name)
	closeIt(t, e)
}
