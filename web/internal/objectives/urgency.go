package objectives

import (
	"cmp"
	"math"
	"strings"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/web/api"
)

// urgency says how urgently an objective wants attention.
type urgency int

// The urgencies, from worst to best.
const (
	page urgency = iota
	ticket
	pending
	failed // it cannot be evaluated
	overspent
	low
	healthy
	noData
)

// urgencies are their names in the API.
var urgencies = [...]string{"page", "ticket", "pending", "error", "overspent", "low", "ok", "no_data"}

func (u urgency) String() string { return urgencies[u] }

// lowBudget is the share of the budget below which an objective is not called healthy, even without an alert: the policy says freeze.
const lowBudget = 0.1

// budgetLeft returns the share of the budget that is left, and +Inf without events.
func budgetLeft(s *engine.Status) float64 {
	if s.Events.Total == 0 {
		return math.Inf(1)
	}
	return s.Budget.RemainingRatio
}

func urgencyOf(s *engine.Status) urgency {
	left := budgetLeft(s)
	switch {
	case s.Alert.State == alert.Firing && s.Alert.Severity == slo.Page:
		return page
	case s.Alert.State == alert.Firing:
		return ticket
	case s.Alert.State == alert.Pending:
		return pending
	case s.State == engine.StateError:
		return failed
	case s.State == engine.StateNoData:
		return noData
	case left < 0:
		return overspent
	case left < lowBudget:
		return low
	default:
		return healthy
	}
}

// key orders objectives: by urgency, pending pages before pending tickets, then the least budget left, then the name.
type key struct {
	Rank int      `json:"r"`
	Left *float64 `json:"l,omitempty"` // nil without events
	Name string   `json:"n"`
}

// keyOf returns the place of an objective in the order of urgency. Objectives that are no longer measured come before healthy ones,
// those that never were come last.
func keyOf(s *engine.Status) key {
	u := urgencyOf(s)
	k := key{Rank: 4 * int(u), Name: s.Name}
	switch {
	case u == pending && s.Alert.Severity != slo.Page:
		k.Rank++
	case u == noData && s.Events.Total > 0:
		k.Rank = 4*int(healthy) - 1
	}
	if s.Events.Total > 0 {
		k.Left = &s.Budget.RemainingRatio
	}
	return k
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.Rank, o.Rank), cmp.Compare(k.left(), o.left()), strings.Compare(k.Name, o.Name))
}

func (k key) left() float64 {
	if k.Left == nil {
		return math.Inf(1)
	}
	return *k.Left
}

// tally counts objectives by their urgency.
func tally(all []engine.Status) (t api.ObjectivesUrgency) {
	counts := [...]*int{&t.Page, &t.Ticket, &t.Pending, &t.Error, &t.Overspent, &t.Low, &t.OK, &t.NoData}
	for i := range all {
		*counts[urgencyOf(&all[i])]++
	}
	return t
}
