package sli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo/internal/own"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
)

const (
	// eventsPerBatch and callsPerBatch bound one call to the metrics pipeline: about 200 kB of OTLP, below the 4 MB that a gRPC
	// server accepts, however long the labels.
	eventsPerBatch = 1024
	callsPerBatch  = 256
)

// flusher sends the counts to the metrics pipeline. It is not safe for concurrent use.
type flusher struct {
	counter  *count.Counter
	next     consumer.Metrics
	resource pcommon.Resource
	interval time.Duration
	expiry   time.Duration
	// started is when counting began, last the time of the last flush, both in Unix ms.
	started, last int64
	// unsent is the time of a flush whose events were perhaps not accepted, in Unix ms; 0 if there is none.
	unsent int64
	// complete says that the last flush reached its end: every series was accepted, or refused permanently.
	complete bool

	// secure waits until records that a log refused are kept, and marks the log. It is nil without a log.
	secure func(ctx context.Context, refused uint64) error

	// heartbeats are the objectives of which each flush says that they were counted.
	heartbeats []string
	// evidence has the exemplars, nil for none; shown are those of the flush.
	evidence *evidence
	shown    shown

	events []count.EventPoint
	calls  []count.CallPoint
	series []*count.Series // of the batch
}

func newFlusher(c *count.Counter, next consumer.Metrics, resource pcommon.Resource, cfg *Config, now time.Time) *flusher {
	return &flusher{
		counter:  c,
		next:     next,
		resource: resource,
		interval: cfg.Interval,
		expiry:   cfg.Expiry,
		started:  now.UnixMilli(),
		last:     now.UnixMilli(),
		calls:    make([]count.CallPoint, callsPerBatch),
	}
}

// setBack allows the next flush to be at a time before the last one, after the clock was set back.
func (f *flusher) setBack(at int64) {
	f.started = min(f.started, floor(at-1, f.interval))
	f.last = at - 1
}

// report holds the figures of a flush.
type report struct {
	series    int
	events    int // series of objectives' events
	forgotten int
}

// resendWithin is how long after a flush its samples are sent again with their time: as long as the database takes them out of order
// by default.
const resendWithin = 5 * time.Minute

// flush sends all series with the given time, which must be after the last flush. It stops at the first error that a retry may
// overcome; the next flush is that retry, because counts are cumulative. It skips a batch that was refused permanently, and
// returns that error too.
//
// Events get their age by the time of the flush that sends them first. So a flush that failed, or that a crash may have cut off, is
// repeated with its time. If that is too long ago, events that have their age already are sent alone, and the others with the flush
// after it.
func (f *flusher) flush(ctx context.Context, at int64) (r report, err error) {
	unsent := f.unsent
	if unsent != 0 && at-unsent <= resendWithin.Milliseconds() {
		if err := f.resend(ctx, unsent); err != nil {
			return r, err
		}
		unsent = 0
	}
	if unsent == 0 {
		f.counter.Age(at, max(at, clock.Wall().UnixMilli()))
		f.unsent = at
	}
	return f.flushAll(ctx, at)
}

// resend sends the events of the flush of a time again. Series that are younger took no part in it.
func (f *flusher) resend(ctx context.Context, at int64) error {
	f.events, _ = f.counter.ReadEvents(f.events, -1)
	f.events = slices.DeleteFunc(f.events, func(p count.EventPoint) bool { return p.Age.Born == 0 || p.Age.Born >= at })
	for part := range slices.Chunk(f.events, eventsPerBatch) {
		if err := f.handEvents(ctx, part, at); err != nil && !consumererror.IsPermanent(err) {
			return err
		}
	}
	return nil
}

func (f *flusher) flushAll(ctx context.Context, at int64) (r report, err error) {
	var since int64
	if f.complete && f.expiry > 0 {
		since = at - f.expiry.Milliseconds()
	}
	f.last, f.complete = at, false
	if f.evidence != nil {
		f.shown = show(f.evidence.decided(at))
		defer func() {
			f.evidence.putBack(f.shown.unsent())
			f.shown = shown{} // events that are sent again have none
		}()
	}

	var refused []error
	var expired int
	f.events, expired = f.counter.ReadEvents(f.events, since)
	for part := range slices.Chunk(f.events, eventsPerBatch) {
		r.series, r.events = r.series+len(part), r.events+len(part)
		if err := f.flushEvents(ctx, part, at); consumererror.IsPermanent(err) {
			refused = append(refused, err)
		} else if err != nil {
			return r, err
		}
	}
	if len(refused) == 0 {
		r.series, r.events = r.series+len(f.heartbeats), r.events+len(f.heartbeats)
		if err := f.flushHeartbeats(ctx, at); consumererror.IsPermanent(err) {
			refused = append(refused, err)
		} else if err != nil {
			return r, err
		}
	}
	f.unsent = 0
	for from := 0; ; {
		n := f.counter.ReadCalls(f.calls, from, since)
		if n == 0 {
			break
		}
		from += n
		part := slices.DeleteFunc(f.calls[:n], func(p count.CallPoint) bool { return p.Expired })
		r.series += 2 * len(part)
		expired += n - len(part)
		if err := f.flushCalls(ctx, part, at); consumererror.IsPermanent(err) {
			refused = append(refused, err)
		} else if err != nil {
			return r, err
		}
	}
	if expired > 0 {
		r.forgotten = f.counter.Expire(since)
	}
	f.complete = true
	return r, errors.Join(refused...)
}

func (f *flusher) flushEvents(ctx context.Context, points []count.EventPoint, at int64) error {
	for _, p := range points {
		p.Age.Seen(p.N, at)
	}
	return f.handEvents(ctx, points, at)
}

func (f *flusher) handEvents(ctx context.Context, points []count.EventPoint, at int64) error {
	f.series = f.series[:0]
	for _, p := range points {
		f.series = append(f.series, &p.Age.Series)
	}
	err := f.hand(ctx, at, func(b batch) { b.events(points, f.shown) })
	if err == nil || consumererror.IsPermanent(err) {
		f.shown.sent(points)
	}
	return err
}

func (f *flusher) flushCalls(ctx context.Context, points []count.CallPoint, at int64) error {
	f.series = f.series[:0]
	for i := range points {
		f.series = append(f.series, &points[i].Series.Series)
		points[i].Series.Seen(points[i].N, at)
	}
	return f.hand(ctx, at, func(b batch) { b.calls(points, f.shown) })
}

// hand sends a batch of f.series. All that is sent must survive a crash or be known to be volatile: a counter that decreases
// would count as a reset. A new series gets the time of its zero: the interval before, in which it had no count, but not before
// counting began. A series whose zero is not before this flush, because the clock was set back, gets that time too.
func (f *flusher) hand(ctx context.Context, at int64, fill func(batch)) error {
	if len(f.series) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.interval) // until the next flush
	defer cancel()
	born := max(f.started, floor(at-1, f.interval))
	refused := f.mark(func(s *count.Series) bool { return s.Born == 0 || s.Born >= at }, func(s *count.Series) { s.Born = born })
	if err := f.secured(ctx, max(refused, f.counter.Unlogged())); err != nil {
		return err
	}
	b := newBatch(f.resource, at)
	fill(b)
	err := f.send(ctx, b)
	if err == nil || consumererror.IsPermanent(err) {
		f.mark(func(s *count.Series) bool { return !s.ZeroEmitted }, func(s *count.Series) { s.ZeroEmitted = true })
	}
	return err
}

// mark applies note to the series that which selects. It returns the turn of the log if the log refused to keep that, else 0.
func (f *flusher) mark(which func(*count.Series) bool, note func(*count.Series)) (refused uint64) {
	var marked []*count.Series
	for _, s := range f.series {
		if which(s) {
			marked = append(marked, s)
		}
	}
	return f.counter.Mark(marked, note)
}

func (f *flusher) secured(ctx context.Context, refused uint64) error {
	if f.secure == nil {
		return nil
	}
	return f.secure(ctx, refused)
}

func (f *flusher) send(ctx context.Context, b batch) error {
	if err := f.next.ConsumeMetrics(own.Mark(ctx), b.md); err != nil {
		return fmt.Errorf("hand counts to the metrics pipeline: %w", err)
	}
	return nil
}

// floor returns the last instant of the wall clock's grid that is not after a time in ms. The interval divides a minute, so the
// grid is the same from the Unix epoch as from any minute.
func floor(millis int64, interval time.Duration) int64 {
	return millis - millis%interval.Milliseconds()
}
