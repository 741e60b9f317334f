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

	"github.com/slowburn/slowburn/slo/internal/own"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
)

const (
	// eventsPerBatch and callsPerBatch bound what one call to the metrics pipeline carries: about 200 kB of OTLP, which
	// stays under the 4 MB that a gRPC server takes, whatever the labels' lengths.
	eventsPerBatch = 1024
	callsPerBatch  = 256
)

// flusher hands the counts to the metrics pipeline. It is for one goroutine.
type flusher struct {
	counter  *count.Counter
	next     consumer.Metrics
	resource pcommon.Resource
	interval time.Duration
	expiry   time.Duration
	// started is when counting began, last the time of the last flush, in milliseconds since the Unix epoch.
	started, last int64
	// complete says that the last flush got to its end: every series is told, or refused for good.
	complete bool

	// secure waits until what a log refused is kept, and the rest is marked in it. It is nil where there is no log.
	secure func(ctx context.Context, refused uint64) error

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

// setBack lets the next flush be at that time, although the last was later: the clock was set back.
func (f *flusher) setBack(at int64) {
	f.started = min(f.started, floor(at-1, f.interval))
	f.last = at - 1
}

// report says what a flush did.
type report struct {
	series    int
	events    int // series of objectives' events
	forgotten int
}

// flush hands over all series with the given time, which must be after the last flush. It stops at the first error that
// a retry may overcome; the next flush is that retry, for counts are cumulative. What was refused for good is passed
// over and not offered again at this time, but the error is returned, too.
func (f *flusher) flush(ctx context.Context, at int64) (r report, err error) {
	var since int64
	if f.complete && f.expiry > 0 {
		since = at - f.expiry.Milliseconds()
	}
	f.last, f.complete = at, false

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
	f.series = f.series[:0]
	for _, p := range points {
		f.series = append(f.series, &p.Series.Series)
		p.Series.Seen(p.N, at)
	}
	return f.hand(ctx, at, func(b batch) { b.events(points) })
}

func (f *flusher) flushCalls(ctx context.Context, points []count.CallPoint, at int64) error {
	f.series = f.series[:0]
	for i := range points {
		f.series = append(f.series, &points[i].Series.Series)
		points[i].Series.Seen(points[i].N, at)
	}
	return f.hand(ctx, at, func(b batch) { b.calls(points) })
}

// hand sends a batch of f.series. Whatever others are told has to survive a crash before, or to be known to be lost: a counter
// that goes back would be taken for one that began anew. At first sight a series gets the time of its zero: the interval before, where nothing of it
// had been counted yet, but not before counting began. So it does where it has a later one, by a clock that was set back since.
func (f *flusher) hand(ctx context.Context, at int64, fill func(batch)) error {
	if len(f.series) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.interval) // until the next flush
	defer cancel()
	born := max(f.started, floor(at-1, f.interval))
	refused := f.mark(func(s *count.Series) bool { return s.Born == 0 || s.Born >= at }, func(s *count.Series) { s.Born = born })
	if err := f.secured(ctx, max(refused, f.counter.Unkept())); err != nil {
		return err
	}
	b := newBatch(f.resource, at)
	fill(b)
	err := f.send(ctx, b)
	if err == nil || consumererror.IsPermanent(err) {
		f.mark(func(s *count.Series) bool { return !s.Told }, func(s *count.Series) { s.Told = true })
	}
	return err
}

// mark notes something of some of the series, and returns the turn of the log if that did not take it.
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

// floor is the last instant of the wall clock's grid not after a time in milliseconds. The interval divides a minute, so
// the grid is the same from the Unix epoch as from any minute.
func floor(millis int64, interval time.Duration) int64 {
	return millis - millis%interval.Milliseconds()
}
