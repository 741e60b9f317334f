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

// Destination is what the senders to one destination share: how it answers, and what became of spans on the way to it. Its
// methods may be called concurrently.
type Destination struct {
	destination.Destination
	Index shard.Destination
	Counts
	Refused Refused
	Senders []*Sender

	out         *Output
	alone       bool         // it is the only one: nobody else looks at the context
	accepted    atomic.Int64 // when it accepted traces last, a clock.Monotonic; 0 is never
	acceptances atomic.Int64 // how many calls it has accepted, or a part of
	refuses     atomic.Int64 // since when it refuses the gateway itself, likewise; 0 if it does not
	outage      outage
	losses      losses.Losses
	limiter     losses.Limiter
	last        atomic.Pointer[LastAnswer] // nil before the first
	rejected    atomic.Pointer[string]     // why it rejected spans last
}

// Counts are what became of kept spans on the way to a destination. They are safe for concurrent use.
type Counts struct {
	DeliveredTraces, DeliveredSpans     atomic.Int64
	UndeliveredTraces, UndeliveredSpans atomic.Int64 // given up: the share of the budget or the patience was used up
	RefusedSpans                        atomic.Int64 // of traces refused for good; again if they are refused again
	Rejected                            atomic.Int64 // not stored though their request was accepted
	Repaired                            atomic.Int64 // whose text was made UTF-8
	Retries                             atomic.Int64 // calls that are made again
	Apart                               atomic.Int64 // traces that wait apart
}

// outage is a time in which nothing is accepted.
type outage struct {
	since  atomic.Int64 // when a call failed first after the last that was accepted, a clock.Monotonic; 0 if none did
	warned atomic.Bool  // and the log says so
}

// LastAnswer is what a destination answered last.
type LastAnswer struct {
	At    clock.Monotonic
	Class answer.Class
	// Code and Text are the destination's.
	Code, Text string
}

// Failure is its words, empty where it is an acceptance or there is no answer.
func (l *LastAnswer) Failure() string {
	if l == nil || l.Class == answer.Accepted {
		return ""
	}
	return (&answer.Error{Code: l.Code, Text: l.Text}).Error()
}

// Last returns what it answered last, nil if it did not yet.
func (d *Destination) Last() *LastAnswer { return d.last.Load() }

// AcceptedAt is when it accepted traces last, 0 if it never did.
func (d *Destination) AcceptedAt() clock.Monotonic { return clock.Monotonic(d.accepted.Load()) }

// RefusesSince is since when it refuses the gateway itself, or may well do, 0 if it does not.
func (d *Destination) RefusesSince() clock.Monotonic { return clock.Monotonic(d.refuses.Load()) }

// FailsSince is when a call failed first after the last that was accepted, and was to be made again; 0 if none did.
func (d *Destination) FailsSince() clock.Monotonic { return clock.Monotonic(d.outage.since.Load()) }

// GaveUpAt is when traces were given up last, 0 if none were, and why.
func (d *Destination) GaveUpAt() (at clock.Monotonic, why fmt.Stringer) { return d.losses.Last() }

// Name is what people are told of it.
func (d *Destination) Name() string {
	if d.Key() == Unknown.Key() {
		return "the next component"
	}
	return d.ID
}

// RejectedWhy is what it said when it rejected spans last.
func (d *Destination) RejectedWhy() string {
	if why := d.rejected.Load(); why != nil {
		return *why
	}
	return ""
}

// RetryAt is when the first sender that waits after an error tries again, 0 if none does. An acceptance clears it.
func (d *Destination) RetryAt() (at clock.Monotonic) {
	return earliest(d.Senders, func(s *Sender) clock.Monotonic { return clock.Monotonic(s.pace.retryAt.Load()) })
}

// CallingSince is since when the slowest call has not returned, 0 if there is none.
func (d *Destination) CallingSince() (since clock.Monotonic) {
	return earliest(d.Senders, func(s *Sender) clock.Monotonic { return clock.Monotonic(s.calling.Load()) })
}

func earliest(senders []*Sender, of func(*Sender) clock.Monotonic) (first clock.Monotonic) {
	for _, s := range senders {
		if t := of(s); t != 0 && (first == 0 || t < first) {
			first = t
		}
	}
	return first
}

// Backlog is what waits for it, in all shards; the instants are shard.Never if that is nothing.
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

// acceptance is what it has accepted.
func (d *Destination) acceptance(now clock.Monotonic) trial.Acceptance {
	at := d.AcceptedAt()
	return trial.Acceptance{Count: d.acceptances.Load(), Recent: at != 0 && now.Sub(at) <= trial.Recently}
}

// note remembers an answer, nil being acceptance. progress says that it accepted a part of the traces anyway.
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
	case last.Class == answer.Either && !progress: // it may refuse, or not
	case d.refuses.Swap(0) != 0 && last.Class != answer.Retry: // where nobody answered it is not known any more
		d.out.Logger.Info("destination accepts traces of this gateway again", d.field())
	}
}

// longOutage is how long nothing was accepted for senders that pause to be woken. In a shorter time none waits for long, and a
// destination that accepts some calls and not others is to be spared.
const longOutage = 5 * time.Second

// works notes that the destination has answered other than by a failure.
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
	if d.outage.warned.Swap(false) && d.refuses.Load() == 0 { // else note says so
		d.out.Logger.Info("destination works again", d.field(), zap.Stringer("after", failed.Round(time.Millisecond)))
	}
}

// refuse notes that the destination refuses the gateway itself, or may well do.
func (d *Destination) refuse(now clock.Monotonic, a *answer.Error) {
	if d.refuses.CompareAndSwap(0, int64(max(now, 1))) {
		d.out.Logger.Warn("the destination refuses this gateway: kept traces wait in the span log, for refusal_patience; "+
			"see whether its endpoint and the exporter's credentials are right",
			d.field(), zap.Error(a), zap.Stringer("refusal_patience", d.out.Patience))
	}
}

// gaveUp counts a trace that is not delivered any more; logLosses tells of it. The caller may have its shard's mutex.
func (d *Destination) gaveUp(k *shard.Kept, why losses.Reason) {
	d.losses.Add(why, k.Spans, d.out.Buffer.Now())
	d.UndeliveredTraces.Add(1)
	d.UndeliveredSpans.Add(int64(k.Spans))
	d.Refused.remove(k.Ref)
}

// logLosses logs what was given up since it did so last.
func (d *Destination) logLosses(all bool) {
	for _, loss := range d.losses.Take(d.out.Buffer.Now(), all) {
		d.out.Logger.Warn("kept traces were given up", d.field(), zap.Stringer("reason", loss.Reason),
			zap.Int64("traces", loss.Traces), zap.Int64("spans", loss.Spans))
	}
}

// warn logs that something failed, the same at most every ten seconds for a destination: counters have how often.
// It reports whether it did.
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
