package api

import (
	"time"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/slo/notify"
)

// Alerts answers GET /api/alerts/v1/alerts.
type Alerts struct {
	Alerts []Alert `json:"alerts"`
}

// Alert is one episode of an objective's alert.
type Alert struct {
	ID          string            `json:"id"`
	Objective   string            `json:"objective"`
	Service     string            `json:"service"`
	State       alert.State       `json:"state"`
	Severity    slo.Severity      `json:"severity"`
	StartsAt    time.Time         `json:"starts_at"`
	EndsAt      *time.Time        `json:"ends_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	Summary     string            `json:"summary"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// Deliveries answers GET /api/alerts/v1/deliveries.
type Deliveries struct {
	Deliveries []Delivery `json:"deliveries"`
}

// Delivery is one notification on its way to one receiver.
type Delivery struct {
	ID             string           `json:"id"`
	IdempotencyKey string           `json:"idempotency_key"`
	Receiver       string           `json:"receiver"`
	Objective      string           `json:"objective"`
	Transition     alert.Transition `json:"transition"`
	State          notify.State     `json:"state"`
	Attempts       int              `json:"attempts"`
	CreatedAt      time.Time        `json:"created_at"`
	NextAttemptAt  *time.Time       `json:"next_attempt_at"`
	DeliveredAt    *time.Time       `json:"delivered_at"`
	LastError      string           `json:"last_error"`
}

// AlertsOf describes alerts.
func AlertsOf(a engine.Alerts) Alerts {
	return Alerts{listOf(a.Alerts, func(a engine.Alert) Alert {
		a.Labels, a.Annotations = wholeMap(a.Labels), wholeMap(a.Annotations)
		return Alert(a)
	})}
}

// DeliveriesOf describes deliveries.
func DeliveriesOf(d engine.Deliveries) Deliveries {
	return Deliveries{listOf(d.Deliveries, func(d engine.Delivery) Delivery { return Delivery(d) })}
}
