package delivery

import (
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/destination"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/losses"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/trial"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// Destination is the state that the senders to one destination share: its answers, and the counts of spans. Its methods
// may be called concurrently.
type Destination struct {
	destination.Destination
	Index shard.Destination
	Counts
	Refused Refused
	Senders []*Sender

	out         *Output
	alone       bool         // it is the only destination: no other component reads the context
	accepted    atomic.Int64 // the last acceptance, a clock.Monotonic; 0 is never
	acceptances atomic.Int64 // calls accepted, at least in part
	refuses     atomic.Int64 // start of its refusals of the gateway itself, likewise; 0 if there are none
	outage      outage
	losses      losses.Losses
	limiter     losses.Limiter
	last        atomic.Pointer[LastAnswer] // nil before the first answer
	rejected    atomic.Pointer[string]     // its last reason for rejecting spans
}

// Counts counts kept spans by the outcome of their delivery. They are safe for concurrent use.
type Counts struct {
	DeliveredTraces, DeliveredSpans     atomic.Int64
	UndeliveredTraces, UndeliveredSpans atomic.Int64 // given up: the share of the budget or the patience was used up
	RefusedSpans                        atomic.Int64 // of traces refused for good; again if they are refused again
	Rejected                            atomic.Int64 // rejected, although their request was accepted
	Repaired                            atomic.Int64 // whose text was made UTF-8
	Retries                             atomic.Int64 // repeated calls
	Apart                               atomic.Int64 // traces that wait apart
}

// outage is a period without acceptances.
type outage struct {
	since  atomic.Int64 // the first failed call after the last acceptance, a clock.Monotonic; 0 if there is none
	warned atomic.Bool  // it was logged
}

// LastAnswer is a destination's last answer.
type LastAnswer struct {
	At    clock.Monotonic
	Class answer.Class
	// Code and Text are the destination's own.
	Code, Text string
}

// Failure returns its code and text, empty for an acceptance and without an answer.
func (l *LastAnswer) Failure() string {
	if l == nil || l.Class == answer.Accepted {
		return ""
	}
	return (&answer.Error{Code: l.Code, Text: l.Text}).Error()
}

// Last returns its last answer, nil before the first.
func (d *Destination) Last() *LastAnswer { return d.last.Load() }

// AcceptedAt returns the time of its last acceptance, 0 if there is none.
func (d *Destination) AcceptedAt() clock.Monotonic { return clock.Monotonic(d.accepted.Load()) }

// RefusesSince returns when it began to refuse the gateway itself, for certain or possibly; 0 if it does not.
func (d *Destination) RefusesSince() clock.Monotonic { return clock.Monotonic(d.refuses.Load()) }

// FailsSince returns when the first call failed after its last acceptance, to be repeated; 0 if none did.
func (d *Destination) FailsSince() clock.Monotonic { return clock.Monotonic(d.outage.since.Load()) }

// GaveUpAt returns when and why traces were last given up; at is 0 if none were.
func (d *Destination) GaveUpAt() (at clock.Monotonic, why fmt.Stringer) { return d.losses.Last() }

// Name is its name for people.
func (d *Destination) Name() string {
	if d.Key() == Unknown.Key() {
		return "the next component"
	}
	return d.ID
}

// RejectedReason returns its last reason for rejecting spans.
func (d *Destination) RejectedReason() string {
	if why := d.rejected.Load(); why != nil {
		return *why
	}
	return ""
}

// RetryAt returns the next try of a sender that waits after an error, 0 if none does. An acceptance clears it.
func (d *Destination) RetryAt() (at clock.Monotonic) {
	return earliestOf(d.Senders, func(s *Sender) clock.Monotonic { return clock.Monotonic(s.pace.retryAt.Load()) })
}

// CallingSince returns the start of the longest running call, 0 if there is none.
func (d *Destination) CallingSince() (since clock.Monotonic) {
	return earliestOf(d.Senders, func(s *Sender) clock.Monotonic { return clock.Monotonic(s.calling.Load()) })
}

func earliestOf(senders []*Sender, instant func(*Sender) clock.Monotonic) (first clock.Monotonic) {
	for _, s := range senders {
		if t := instant(s); t != 0 && (first == 0 || t < first) {
			first = t
		}
	}
	return first
}

// Backlog describes the traces that wait for it in all shards; instants are shard.Never if there are none.
func (d *Destination) Backlog() (all shard.Backlog) {
	all.Oldest, all.Pending = shard.Never, shard.Never
	for m := range d.out.Buffer.Locked() {
		b := m.Outgoing(d.Index).Backlog()
		all.Oldest, all.Pending = min(all.Oldest, b.Oldest), min(all.Pending, b.Pending)
		all.Add(b.Amount)
		all.Refused.Add(b.Refused)
	}
	return all
}

// acceptance returns its acceptances.
func (d *Destination) acceptance(now clock.Monotonic) trial.Acceptance {
	at := d.AcceptedAt()
	return trial.Acceptance{Count: d.acceptances.Load(), Recent: at != 0 && now.Sub(at) <= trial.RecentAge}
}

// note records an answer; nil is an acceptance. progress reports whether it accepted a part of the traces
// anyway.
func (d *Destination) note(a *answer.Error, progress bool, now clock.Monotonic) {
	last := &LastAnswer{At: now}
	if a != nil {
		last.Class, last.Code, last.Text = a.Class, a.Code, a.Text
	}
	d.last.Store(last)
	if a == nil || progress {
		d.accepted.Store(int64(max(now, 1)))
		d.acceptances.Add(1)
	}
	if last.Class == answer.Accepted || last.Class == answer.Data || progress {
		d.works(now)
	}
	switch {
	case last.Class == answer.Gateway:
		d.refuse(now, a)
	case last.Class == answer.Either && !progress: // it may refuse the gateway or not
	case d.refuses.Swap(0) != 0 && last.Class != answer.Retry: // after a Retry it is unknown
		d.out.Logger.Info("destination accepts traces of this gateway again", d.field())
	}
}

// longOutage is the length of an outage after which pausing senders are woken. In a shorter one none pauses for long, and a
// destination that accepts only some calls must be spared.
const longOutage = 5 * time.Second

// works records an answer other than a failure.
func (d *Destination) works(now clock.Monotonic) {
	if d.outage.since.Load() == 0 { // the usual case
		return
	}
	since := clock.Monotonic(d.outage.since.Swap(0))
	if since == 0 { // another sender was first
		return
	}
	failed := now.Sub(since)
	for _, s := range d.Senders {
		s.pace.retryAt.Store(0)
		if failed >= longOutage {
			buffer.Wake(s.pace.works)
		}
	}
	if d.outage.warned.Swap(false) && d.refuses.Load() == 0 { // otherwise note logs it
		d.out.Logger.Info("destination works again", d.field(), zap.Stringer("after", failed.Round(time.Millisecond)))
	}
}

// refuse records that the destination refuses the gateway itself, for certain or possibly.
func (d *Destination) refuse(now clock.Monotonic, a *answer.Error) {
	if d.refuses.CompareAndSwap(0, int64(max(now, 1))) {
		d.out.Logger.Warn("destination refuses this gateway, kept traces wait in the span log for refusal_patience; "+
			"check its endpoint and the exporter's credentials",
			d.field(), zap.Error(a), zap.Stringer("refusal_patience", d.out.Patience))
	}
}

// gaveUp counts a trace that was given up; logLosses logs it. The caller may hold its shard's mutex.
func (d *Destination) gaveUp(k *shard.Kept, reason losses.Reason) {
	d.losses.Add(reason, k.Spans, d.out.Buffer.Now())
	d.UndeliveredTraces.Add(1)
	d.UndeliveredSpans.Add(int64(k.Spans))
	d.Refused.remove(k.Ref)
}

// logLosses logs the losses since the last time.
func (d *Destination) logLosses(all bool) {
	for _, loss := range d.losses.Take(d.out.Buffer.Now(), all) {
		d.out.Logger.Warn("kept traces given up", d.field(), zap.Stringer("reason", loss.Reason),
			zap.Int64("traces", loss.Traces), zap.Int64("spans", loss.Spans))
	}
}

// warn logs a failure, each message at most every ten seconds per destination; counters have the number. It
// reports whether it logged it.
func (d *Destination) warn(message string, err error, fields ...zap.Field) bool {
	if !d.limiter.Allow(message, d.out.Buffer.Now()) {
		return false
	}
	fields = append(fields, d.field())
	if err != nil {
		fields = append(fields, zap.Error(err))
	}
	d.out.Logger.Warn(message, fields...)
	return true
}

func (d *Destination) field() zap.Field { return zap.String("destination", d.ID) }
