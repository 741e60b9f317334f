package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/state"
)

// Outcome is the result of an attempt.
type Outcome string

// The outcomes.
const (
	OutcomeDelivered Outcome = "delivered"
	OutcomeRetried   Outcome = "retried"
	OutcomeDead      Outcome = "dead"
)

// Receiver is the destination of deliveries.
type Receiver struct {
	Name string
	URL  string
	// Client has the receiver's TLS, authentication, headers and timeout. Start overwrites its redirect policy.
	Client *http.Client
}

// Settings configures a Sender.
type Settings struct {
	DB        *state.DB
	Receivers []Receiver
	Logger    *zap.Logger
	// Steady disables the jitter of backoffs, for simulations.
	Steady bool
	// Attempted is called with the outcome of each attempt, by several goroutines.
	Attempted func(ctx context.Context, receiver string, o Outcome)
}

// Sender delivers what the outbox holds. Its methods may be called concurrently.
type Sender struct {
	Settings
	wake   []chan struct{} // one per receiver
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	failing map[string]string // receiver → error of its last attempt, if that failed
}

// NewSender returns a Sender. Call Start, and Shutdown before the file is closed.
func NewSender(set Settings) *Sender {
	s := &Sender{Settings: set, failing: map[string]string{}}
	for range set.Receivers {
		s.wake = append(s.wake, make(chan struct{}, 1))
	}
	return s
}

// Start begins to deliver pending deliveries, on a goroutine per receiver.
func (s *Sender) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	for i, r := range s.Receivers {
		r.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		s.wg.Go(func() { s.serve(ctx, r, s.wake[i]) })
	}
}

// Wake makes each goroutine look at the outbox again.
func (s *Sender) Wake() {
	for _, w := range s.wake {
		select {
		case w <- struct{}{}:
		default: // a wake-up is pending already
		}
	}
}

// Shutdown stops the goroutines and cancels requests in flight, whose deliveries stay pending.
func (s *Sender) Shutdown() {
	if s.cancel != nil {
		s.cancel()
	}
	s.wg.Wait()
	for _, r := range s.Receivers {
		r.Client.CloseIdleConnections()
	}
}

// Failing returns the receivers whose last attempt failed, with its error.
func (s *Sender) Failing() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]string, len(s.failing))
	for r, e := range s.failing {
		out[r] = e
	}
	return out
}

// serve delivers to one receiver until the context ends.
func (s *Sender) serve(ctx context.Context, r Receiver, wake <-chan struct{}) {
	trouble := 0 // consecutive failures of reading or writing the file
	for ctx.Err() == nil {
		wait, err := s.step(ctx, r)
		if err != nil {
			trouble++
			wait = backoff(trouble)
			s.Logger.Error("reading or writing the outbox failed, retrying", zap.String("receiver", r.Name),
				zap.Duration("in", wait), zap.Error(err))
		} else {
			trouble = 0
		}
		if wait == 0 {
			continue
		}
		timer := clock.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// idleWait is how long to sleep when nothing is pending, unless woken.
const idleWait = time.Hour

// step makes the attempt that is due, if any, and returns how long to wait for the next.
func (s *Sender) step(ctx context.Context, r Receiver) (time.Duration, error) {
	now := clock.Wall()
	var d Delivery
	var found bool
	err := s.DB.View(func(tx *bbolt.Tx) (err error) {
		d, found, err = nextDue(tx, r.Name, now)
		return err
	})
	if err != nil {
		return 0, err
	}
	if !found {
		return idleWait, nil
	}
	if wait := d.dueAt(now).Sub(now); wait > 0 {
		return wait, nil
	}
	a := post(ctx, r, d)
	select {
	case <-ctx.Done(): // it may or may not have arrived, so it stays pending
		return idleWait, nil
	default:
		return 0, s.record(ctx, r, d, a)
	}
}

// Step makes the attempt that is due for a receiver, if any, and returns how long to wait for the next. Simulations call it in
// place of Start.
func Step(ctx context.Context, s *Sender, receiver int) (time.Duration, error) {
	return s.step(ctx, s.Receivers[receiver])
}

// backoff returns how long to wait after a number of failed attempts.
func (s *Sender) backoff(attempts int) time.Duration {
	if s.Steady {
		return longestBackoff(attempts)
	}
	return backoff(attempts)
}

// answer is a receiver's response to an attempt.
type answer struct {
	status int // HTTP status, 0 without a response
	header http.Header
	// failure describes for people what went wrong; empty on success.
	failure string
}

// post makes one attempt.
func post(ctx context.Context, r Receiver, d Delivery) answer {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(d.Body))
	if err != nil {
		return answer{failure: err.Error()}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "slowburn")
	req.Header.Set("Idempotency-Key", d.Key)
	// Standard Webhooks has these names for the same.
	req.Header.Set("Webhook-Id", d.Key)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(clock.Wall().Unix(), 10))
	resp, err := r.Client.Do(req)
	if err != nil {
		// The client prefixes the URL, which often is a secret, and people see the message: drop it.
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return answer{failure: fmt.Sprintf("%s cannot be reached: %v", r.Name, err)}
	}
	// People see the start of the body. Reading a little more lets the connection be reused. Errors of reading do not matter:
	// the status is known.
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
	if n, _ := io.CopyN(io.Discard, resp.Body, 64<<10); n > 0 {
		text = append(text, "…"...)
	}
	_ = resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if resp.StatusCode < 200 || resp.StatusCode >= 300 {
		a.failure = fmt.Sprintf("%s answered %s: %s", r.Name, resp.Status, strings.TrimSpace(string(text)))
	}
	return a
}

// record stores the outcome of an attempt.
func (s *Sender) record(ctx context.Context, r Receiver, d Delivery, a answer) error {
	now := clock.Wall()
	d.Attempts++
	outcome := OutcomeDelivered
	d.LastError = a.failure
	switch {
	case !doubtful(a.status):
		d.RefusedAt = time.Time{}
	case d.RefusedAt.IsZero():
		d.RefusedAt = now
	}
	switch {
	case a.failure == "":
		d.State, d.DoneAt = Delivered, now
	case permanent(a.status) && (d.RefusedAt.IsZero() || now.Sub(d.RefusedAt) >= maxDoubt):
		outcome = OutcomeDead
		d.State, d.DoneAt = Dead, now
	default:
		outcome = OutcomeRetried
		d.SetAt, d.NextAttemptAt = now, now.Add(max(s.backoff(d.Attempts), retryAfter(a.header, now)))
	}
	err := s.DB.Update(func(tx *bbolt.Tx) (err error) {
		if d.State == Pending {
			err = state.Put(tx.Bucket([]byte(pendingBucket)), pendingKey(d.Receiver, d.ID), d)
		} else {
			err = finish(tx, d)
		}
		failpoint.Before(failpoint.OutboxRecord)
		return err
	})
	failpoint.After(failpoint.OutboxRecord)
	s.reportOutcome(ctx, r, d, outcome)
	return err
}

// reportOutcome logs and counts the outcome of an attempt.
func (s *Sender) reportOutcome(ctx context.Context, r Receiver, d Delivery, o Outcome) {
	s.mu.Lock()
	if d.LastError == "" {
		delete(s.failing, r.Name)
	} else {
		s.failing[r.Name] = d.LastError
	}
	s.mu.Unlock()
	fields := []zap.Field{zap.String("receiver", r.Name), zap.String("objective", d.Objective),
		zap.String("transition", string(d.Transition)), zap.String("idempotency_key", d.Key), zap.Int("attempts", d.Attempts)}
	switch o {
	case OutcomeDelivered:
		s.Logger.Info("alert delivered", fields...)
	case OutcomeRetried:
		s.Logger.Warn("delivering an alert failed, retrying",
			append(fields, zap.Time("next_attempt_at", d.NextAttemptAt), zap.String("error", d.LastError))...)
	case OutcomeDead:
		s.Logger.Error("alert refused for good: correct the receiver's configuration",
			append(fields, zap.String("error", d.LastError))...)
	}
	if s.Attempted != nil {
		s.Attempted(ctx, r.Name, o)
	}
}
