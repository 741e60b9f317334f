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

	events []count.EventPoint
	calls  []count.CallPoint
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

// report says what a flush did.
type report struct {
	series    int
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
		r.series += len(part)
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
	for _, p := range points {
		f.see(&p.Series.Series, p.N, at)
	}
	b := newBatch(f.resource, at)
	b.events(points)
	err := f.send(ctx, b)
	if err == nil || consumererror.IsPermanent(err) {
		for _, p := range points {
			p.Series.Told = true
		}
	}
	return err
}

func (f *flusher) flushCalls(ctx context.Context, points []count.CallPoint, at int64) error {
	if len(points) == 0 {
		return nil
	}
	for i := range points {
		f.see(&points[i].Series.Series, points[i].N, at)
	}
	b := newBatch(f.resource, at)
	b.calls(points)
	err := f.send(ctx, b)
	if err == nil || consumererror.IsPermanent(err) {
		for i := range points {
			points[i].Series.Told = true
		}
	}
	return err
}

// see notes a series' count. At first sight it gives the series the time of its zero: the interval before, where
// nothing of it had been counted yet, but not before counting began.
func (f *flusher) see(s *count.Series, n count.Weight, at int64) {
	if s.Born == 0 {
		s.Born = max(f.started, floor(at-1, f.interval))
	}
	s.Seen(n, at)
}

// send gives the pipeline as long as there is until the next flush.
func (f *flusher) send(ctx context.Context, b batch) error {
	ctx, cancel := context.WithTimeout(ctx, f.interval)
	defer cancel()
	if err := f.next.ConsumeMetrics(ctx, b.md); err != nil {
		return fmt.Errorf("hand counts to the metrics pipeline: %w", err)
	}
	return nil
}

// floor is the last instant of the wall clock's grid not after a time in milliseconds. The interval divides a minute, so
// the grid is the same from the Unix epoch as from any minute.
func floor(millis int64, interval time.Duration) int64 {
	return millis - millis%interval.Milliseconds()
}
