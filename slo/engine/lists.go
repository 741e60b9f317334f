package engine

import (
	"cmp"
	"slices"
	"strconv"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/book"
	"github.com/slowburn/slowburn/slo/notify"
)

// maxDeliveries is how many deliveries are listed.
const maxDeliveries = 500

// Alerts implements Reader.
func (e *Extension) Alerts() (Alerts, error) {
	out := Alerts{Alerts: []Alert{}}
	err := e.view(func(tx *bbolt.Tx) error {
		current, err := book.Alerts(tx)
		if err != nil {
			return err
		}
		for _, a := range current {
			if a.State == alert.Firing || a.State == alert.Pending {
				out.Alerts = append(out.Alerts, alertOf(a))
			}
		}
		slices.SortFunc(out.Alerts, func(a, b Alert) int {
			return cmp.Or(cmp.Compare(urgency(a), urgency(b)), b.StartsAt.Compare(a.StartsAt), cmp.Compare(a.Objective, b.Objective))
		})
		resolved, err := book.Episodes(tx)
		for _, a := range resolved {
			out.Alerts = append(out.Alerts, alertOf(a))
		}
		return err
	})
	return out, err
}

// urgency orders pages before tickets, and both before pending alerts.
func urgency(a Alert) int {
	switch {
	case a.State == alert.Pending:
		return 2
	case a.Severity == slo.Page:
		return 0
	default:
		return 1
	}
}

func alertOf(a alert.Alert) Alert {
	out := Alert{
		ID: a.ID, Objective: a.Objective, Service: a.Service, State: a.State, Severity: a.Severity,
		StartsAt: a.StartsAt, UpdatedAt: a.UpdatedAt, Summary: a.Summary, Labels: orEmpty(a.Labels), Annotations: orEmpty(a.Annotations),
	}
	if a.State == alert.Pending {
		out.StartsAt = a.Since
	}
	if !a.EndsAt.IsZero() {
		out.EndsAt = &a.EndsAt
	}
	return out
}

// Deliveries implements Reader.
func (e *Extension) Deliveries() (Deliveries, error) {
	out := Deliveries{Deliveries: []Delivery{}}
	err := e.view(func(tx *bbolt.Tx) error {
		list, err := notify.List(tx, maxDeliveries)
		for _, d := range list {
			v := Delivery{
				ID: strconv.FormatUint(d.ID, 10), IdempotencyKey: d.Key, Receiver: d.Receiver, Objective: d.Objective,
				Transition: d.Transition, State: d.State, Attempts: d.Attempts, CreatedAt: d.CreatedAt, LastError: d.LastError,
			}
			switch d.State {
			case notify.Pending:
				v.NextAttemptAt = &d.NextAttemptAt
			case notify.Delivered:
				v.DeliveredAt = &d.DoneAt
			}
			out.Deliveries = append(out.Deliveries, v)
		}
		return err
	})
	return out, err
}

// ExternalURL returns the configured base URL of the dashboard, empty if external_url is not set.
func (e *Extension) ExternalURL() string { return e.config.ExternalURL }
