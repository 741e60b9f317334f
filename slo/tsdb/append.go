package tsdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/storage"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/freespace"
	"github.com/slowburn/slowburn/internal/partial"
	"github.com/slowburn/slowburn/slo/internal/own"
	"github.com/slowburn/slowburn/slo/tsdb/internal/admit"
	"github.com/slowburn/slowburn/slo/tsdb/internal/batch"
	"github.com/slowburn/slowburn/slo/tsdb/internal/census"
	"github.com/slowburn/slowburn/slo/tsdb/internal/upkeep"
)

// maxAhead is how far a sample may lie in the future, as in Prometheus. A single sample of a clock that is a year ahead would
// move the head there, and the database would reject all samples of the present.
const maxAhead = 10 * time.Minute

// errMaxSeries rejects a new series of other senders.
var errMaxSeries = errors.New("max_series is reached: raise it, or send fewer series")

// admit calls yield with the parts of the metrics that are within the limits. The gateway's own metrics are exempt.
func (e *embedded) admit(ctx context.Context, md pmetric.Metrics, naming batch.Naming, yield func(admit.Part) error) error {
	if own.Is(ctx) {
		return yield(admit.Part{Metrics: md})
	}
	var rejected rejections
	defer func() { e.tell(ctx, &rejected) }()
	gate := admit.New(e.config.Limits.admit(), naming.Promote, lookback)
	return gate.Pass(md, e.config.window(clock.Wall()), func(r admit.Rejection) {
		rejected.add(r.Reason, max(r.Points, 1), max(r.Samples, 1), func() string { return fmt.Sprintf("%s: %v", r.Metric, r.Err) })
	}, yield)
}

// append translates metrics and writes them. An error means that the database could not be written, which may be retried;
// rejected samples are counted, logged and reported to the sender instead.
func (e *embedded) append(ctx context.Context, part admit.Part, naming batch.Naming) error {
	mine := own.Is(ctx)
	if !mine {
		leave, err := enter(ctx, e.foreign)
		if err != nil {
			return err
		}
		defer leave()
	}
	b := e.batches.Get(&e.families)
	defer e.batches.Put(b)
	warnings, untranslatable := batch.Translate(ctx, part.Metrics, part.Wide, naming, lookback, b)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	b.Sort()

	leave, err := enter(ctx, e.appending)
	if err != nil {
		return err
	}
	defer leave()
	var rejected rejections
	for _, err := range unjoin(untranslatable) {
		rejected.add(admit.Untranslatable, 1, 1, err.Error)
	}
	if err := e.floor.Check(); err != nil {
		err = fmt.Errorf("no samples are stored: %w", err)
		e.writeError.Store(&err)
		return err
	}
	var appended int
	if err := upkeep.Guard(func() (err error) {
		appended, err = e.commit(ctx, b, mine, &rejected)
		return err
	}); err != nil {
		if broken := new(upkeep.Broken); errors.As(err, &broken) {
			e.report(err)
		}
		err = e.explainWrite(err)
		e.writeError.Store(&err)
		return err
	}
	e.writeError.Store(nil)
	if head := e.db.Head(); upkeep.Compactable(head.MinTime(), head.MaxTime()) {
		e.loop.Wake()
	}
	switch {
	case appended > 0 && mine:
		e.starved.Store(nil)
	case mine && rejected.reasons != nil:
		e.starved.Store(&rejected.example)
	}

	e.telemetry.ExtensionTsdbAppendedSamples.Add(ctx, int64(appended))
	e.tell(ctx, &rejected)
	if len(warnings) > 0 {
		e.logger.Warn("some metrics were changed to be stored as Prometheus series", zap.Strings("changes", warnings))
	}
	return nil
}

// enter takes a slot of a room, and returns the function that frees it. It waits until ctx ends.
func enter(ctx context.Context, room chan struct{}) (leave func(), err error) {
	select {
	case room <- struct{}{}:
		return func() { <-room }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// tell counts rejected samples, reports them to the sender, and logs them at most every 10 s.
func (e *embedded) tell(ctx context.Context, rejected *rejections) {
	if rejected.reasons == nil {
		return
	}
	for reason, n := range rejected.reasons {
		e.telemetry.ExtensionTsdbRejectedSamples.Add(ctx, int64(n), metric.WithAttributes(attribute.String("reason", reason)))
	}
	partial.Add(ctx, int64(rejected.points), rejected.example)
	const every = 10 * time.Second
	now := clock.Now().UnixNano()
	if last := e.told.Load(); now-last < int64(every) || !e.told.CompareAndSwap(last, now) {
		return
	}
	e.logger.Warn("some samples were rejected by the time series database", zap.Any("samples_by_reason", rejected.reasons),
		zap.String("for_instance", rejected.example))
}

// commit writes the batch in one transaction, except for the samples that the database rejects.
func (e *embedded) commit(ctx context.Context, b *batch.Batch, mine bool, rejected *rejections) (appended int, err error) {
	window := e.config.window(clock.Wall())
	newest, oldest := window.Newest.UnixMilli(), window.Oldest.UnixMilli()
	tx := e.db.AppenderV2(ctx)
	ended := false
	defer func() {
		if !ended { // a panic, which ends the request alone: an open transaction would hold up the database for good
			err = errors.Join(err, tx.Rollback())
		}
	}()
	for _, i := range b.Order {
		s := &b.Samples[i]
		var ref storage.SeriesRef
		switch {
		case s.Time > newest:
			err = admit.ErrFuture
		case s.Time < oldest:
			err = admit.ErrExpired
		default:
			ref, err = e.write(tx, s, mine)
		}
		var exemplars *storage.AppendPartialError
		if errors.As(err, &exemplars) {
			err = nil // the sample itself was taken
		}
		if err != nil {
			rejected.add(rejectionReason(err), 1, 1, func() string { return fmt.Sprintf("%s: %v", s.Labels, err) })
			continue
		}
		// The database compares with what was committed before, and would drop the second of two samples without a
		// word. They are two streams that became one series, as what tells them apart is no label.
		if last, again := b.Seen[ref]; again && b.Samples[last].Time == s.Time {
			if !b.Samples[last].SameValue(s) {
				rejected.add("duplicate", 1, 1, func() string { return fmt.Sprintf("%s: %v", s.Labels, storage.ErrDuplicateSampleForTimestamp) })
			}
			continue
		}
		b.Seen[ref] = i
		appended++
	}
	ended = true
	failpoint.Before(failpoint.TSDBCommit)
	err = tx.Commit()
	failpoint.After(failpoint.TSDBCommit)
	return appended, err
}

// write appends a sample, unless it is of other senders and max_series leaves no room for its series.
func (e *embedded) write(tx storage.AppenderV2, s *batch.Sample, mine bool) (storage.SeriesRef, error) {
	hash := s.Labels.Hash()
	series, _ := tx.(storage.GetRef) // the database's own says that it is one
	before, _ := series.GetRef(s.Labels, hash)
	units := census.Units(int(s.Labels.ByteSize()), s.Buckets())
	if !mine && !e.census.Room(before, units) {
		return 0, errMaxSeries
	}
	ref, err := tx.Append(before, s.Labels, s.Start, s.Time, s.Value, s.Histogram, s.FloatHistogram, storage.AOptions{Exemplars: s.Exemplars})
	if ref == 0 {
		// The series of a sample that was refused may have been made all the same.
		ref, _ = series.GetRef(s.Labels, hash)
		if ref != 0 {
			e.census.Note(ref, units, mine)
		}
		return 0, err
	}
	e.census.Note(ref, units, mine)
	return ref, err
}

func (e *embedded) explainWrite(err error) error {
	advice := freespace.Advice(e.config.Directory, err)
	if advice != "" {
		advice = ": " + advice + ", or set retention_size"
	}
	return fmt.Errorf("write to the time series database in %s: %w%s", e.config.Directory, err, advice)
}

// rejections counts samples that were not stored. The zero value is ready to use.
type rejections struct {
	reasons map[string]int // of samples
	points  int
	example string // the first of them
}

// maxExample is the longest example, in bytes.
const maxExample = 512

func (r *rejections) add(reason string, points, samples int, example func() string) {
	if r.reasons == nil {
		r.reasons = map[string]int{}
		r.example = admit.Cut(example(), maxExample)
	}
	r.reasons[reason] += samples
	r.points += points
}

// rejectionReason returns the label of a rejection. Errors of an append always are about the sample, because nothing is written
// before the commit.
func rejectionReason(err error) string {
	switch {
	case errors.Is(err, errMaxSeries):
		return "max_series"
	case errors.Is(err, storage.ErrOutOfOrderSample):
		return "out_of_order"
	case errors.Is(err, storage.ErrTooOldSample), errors.Is(err, admit.ErrExpired):
		return admit.TooOld
	case errors.Is(err, storage.ErrOutOfBounds):
		return "out_of_bounds"
	case errors.Is(err, storage.ErrDuplicateSampleForTimestamp):
		return "duplicate"
	case errors.Is(err, admit.ErrFuture):
		return admit.Future
	default:
		return "invalid"
	}
}

// unjoin returns the parts of nested errors.Join.
func unjoin(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var parts []error
	for _, part := range joined.Unwrap() {
		parts = append(parts, unjoin(part)...)
	}
	return parts
}
