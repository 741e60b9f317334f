package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/slowburn/slowburn/slo/alert"
)

// State is the state of a delivery.
type State string

// The states.
const (
	Pending   State = "pending"
	Delivered State = "delivered"
	// Dead means that the receiver refused it permanently, or is no longer configured.
	Dead State = "dead"
)

// Delivery is one notice on its way to one receiver.
type Delivery struct {
	// ID numbers the deliveries in the order in which Put stored them.
	ID uint64 `json:"id"`
	// Key is the idempotency key.
	Key        string           `json:"key"`
	Receiver   string           `json:"receiver"`
	Objective  string           `json:"objective"`
	Transition alert.Transition `json:"transition"`
	State      State            `json:"state"`
	Attempts   int              `json:"attempts"`
	CreatedAt  time.Time        `json:"created_at"`
	// NextAttemptAt is when a pending delivery is retried; DoneAt is when it was delivered or given up.
	NextAttemptAt time.Time `json:"next_attempt_at"`
	DoneAt        time.Time `json:"done_at"`
	// SetAt is when NextAttemptAt was set: when the delivery was created, or its last attempt ended.
	SetAt time.Time `json:"set_at"`
	// RefusedAt is when the present run of doubtful answers began; zero if the last answer was not doubtful.
	RefusedAt time.Time       `json:"refused_at,omitzero"`
	LastError string          `json:"last_error"`
	Body      json.RawMessage `json:"body"`
}

// New returns the delivery of a notice. externalURL is the base URL of this gateway's dashboard.
func New(a alert.Alert, n alert.Notice, externalURL string, now time.Time) (Delivery, error) {
	body, err := json.Marshal(newMessage(a, n, externalURL))
	if err != nil {
		return Delivery{}, fmt.Errorf("encode the webhook of %s: %w", a.ID, err)
	}
	return Delivery{
		Key: idempotencyKey(a, n), Receiver: n.Receiver, Objective: a.Objective, Transition: n.Kind,
		State: Pending, CreatedAt: now, NextAttemptAt: now, SetAt: now, Body: body,
	}, nil
}

// dueAt returns when the next attempt of a pending delivery is due. It is due at once if the clock was set back since NextAttemptAt was
// set, which must not delay an alert: SetAt is then in the future, or the wait is longer than any.
func (d *Delivery) dueAt(now time.Time) time.Time {
	if d.SetAt.After(now) || d.NextAttemptAt.Sub(now) > maxRetryAfter {
		return now
	}
	return d.NextAttemptAt
}

// idempotencyKey returns a key that depends on the notice only, not on attempts or texts, and differs between notices.
func idempotencyKey(a alert.Alert, n alert.Notice) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%s\x00%s", a.ID, a.Seq, n.Kind, n.Receiver))
	return hex.EncodeToString(sum[:16])
}
