package notify

import (
	"fmt"
	"maps"
	"time"

	"github.com/slowburn/slowburn/slo/alert"
)

// message is the body of an Alertmanager webhook, version 4, which existing receivers parse.
type message struct {
	Version           string            `json:"version"`
	GroupKey          string            `json:"groupKey"`
	TruncatedAlerts   int               `json:"truncatedAlerts"`
	Status            string            `json:"status"`
	Receiver          string            `json:"receiver"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	ExternalURL       string            `json:"externalURL"`
	Alerts            []messageAlert    `json:"alerts"`
}

type messageAlert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

// newMessage returns the body of a notice. Each message has one alert, and its group is the objective: receivers that match a
// resolution to a firing by group key or by fingerprint both work.
func newMessage(a alert.Alert, n alert.Notice, externalURL string) message {
	labels, annotations := maps.Clone(a.Labels), maps.Clone(a.Annotations)
	labels["severity"], annotations["severity"] = string(n.Severity), string(n.Severity)
	status, endsAt := "firing", time.Time{}
	if n.Kind == alert.Ended {
		status, endsAt = "resolved", a.UpdatedAt
		if a.State == alert.Firing {
			annotations["summary"] = fmt.Sprintf("No longer a %s. %s", n.Severity, a.Summary)
		}
	}
	return message{
		Version:           "4",
		GroupKey:          fmt.Sprintf("{}:{alertname=%q, objective=%q}", alert.Name, a.Objective),
		Status:            status,
		Receiver:          n.Receiver,
		GroupLabels:       map[string]string{"alertname": alert.Name, "objective": a.Objective},
		CommonLabels:      labels,
		CommonAnnotations: annotations,
		ExternalURL:       externalURL,
		Alerts: []messageAlert{{
			Status: status, Labels: labels, Annotations: annotations,
			StartsAt: a.StartsAt, EndsAt: endsAt,
			GeneratorURL: annotations["dashboard"],
			Fingerprint:  alert.Fingerprint(a.Objective),
		}},
	}
}
