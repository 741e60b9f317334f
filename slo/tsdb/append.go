package tsdb

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/prometheus/prometheus/storage"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo/tsdb/internal/batch"
)

// maxAhead is how far a sample may lie in the future, as in Prometheus. One sample of a clock that is a year ahead
// would move the database's present there, and it would take nothing of the true present any more.
const maxAhead = 10 * time.Minute

var (
	errFuture  = errors.New("too far in the future")
	errExpired = errors.New("older than the retention")
)

// append translates metrics and writes them. It returns an error where the database could not be written, which may
// be retried; what the database does not take is counted and logged only.
func (e *embedded) append(ctx context.Context, md pmetric.Metrics, naming batch.Naming) error {
	b := e.batches.Get(&e.families)
	defer e.batches.Put(b)
	warnings, untranslatable := batch.Translate(ctx, md, naming, lookback, b)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	b.Sort()

	select {
	case e.appending <- struct{}{}:
		defer func() { <-e.appending }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	var rejected rejections
	for _, err := range unjoin(untranslatable) {
		rejected.add("untranslatable", err.Error(), err)
	}
	appended, err := e.commit(ctx, b, &rejected)
	if err != nil {
		err = e.explainWrite(err)
		e.writeError.Store(&err)
		return err
	}
	e.writeError.Store(nil)

	e.telemetry.TsdbSamplesAppended.Add(ctx, int64(appended))
	for reason, n := range rejected.reasons {
		e.telemetry.TsdbSamplesRejected.Add(ctx, int64(n), metric.WithAttributes(attribute.String("reason", reason)))
	}
	if rejected.reasons != nil {
		e.logger.Warn("The time series database did not take some samples", zap.Any("samples_by_reason", rejected.reasons),
			zap.String("for_instance", rejected.example))
	}
	if len(warnings) > 0 {
		e.logger.Warn("Metrics were translated with doubts", zap.Strings("doubts", warnings))
	}
	return nil
}

// commit writes the batch in one transaction, but for the samples that the database does not take.
func (e *embedded) commit(ctx context.Context, b *batch.Batch, rejected *rejections) (appended int, err error) {
	now := clock.Now()
	newest := now.Add(maxAhead).UnixMilli()
	oldest := now.Add(-time.Duration(e.config.Retention)).UnixMilli()
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
			err = errFuture
		case s.Time < oldest:
			err = errExpired
		default:
			ref, err = tx.Append(0, s.Labels, s.Start, s.Time, s.Value, s.Histogram, s.FloatHistogram, storage.AOptions{Exemplars: s.Exemplars})
		}
		var exemplars *storage.AppendPartialError
		if errors.As(err, &exemplars) {
			err = nil // the sample itself was taken
		}
		if err != nil {
			rejected.add(reason(err), s.Labels.String(), err)
			continue
		}
		// The database compares with what was committed before, and would drop the second of two samples without a
		// word. They are two streams that became one series, as what tells them apart is no label.
		if last, again := b.Seen[ref]; again && b.Samples[last].Time == s.Time {
			if !b.Samples[last].SameValue(s) {
				rejected.add("duplicate", s.Labels.String(), storage.ErrDuplicateSampleForTimestamp)
			}
			continue
		}
		b.Seen[ref] = i
		appended++
	}
	ended = true
	return appended, tx.Commit()
}

func (e *embedded) explainWrite(err error) error {
	advice := ""
	if errors.Is(err, syscall.ENOSPC) {
		advice = ": the disk is full: free space, or set retention_size"
	}
	return fmt.Errorf("write to the time series database in %s: %w%s", e.config.Directory, err, advice)
}

// rejections counts what was not stored. The zero value is ready.
type rejections struct {
	reasons map[string]int
	example string // the first of them
}

func (r *rejections) add(reason, what string, err error) {
	if r.reasons == nil {
		r.reasons = map[string]int{}
		r.example = fmt.Sprintf("%s: %v", what, err)
	}
	r.reasons[reason]++
}

// reason is the label of a rejection. Errors of an append are always about the sample: nothing is written until commit.
func reason(err error) string {
	switch {
	case errors.Is(err, storage.ErrOutOfOrderSample):
		return "out_of_order"
	case errors.Is(err, storage.ErrTooOldSample), errors.Is(err, errExpired):
		return "too_old"
	case errors.Is(err, storage.ErrOutOfBounds):
		return "out_of_bounds"
	case errors.Is(err, storage.ErrDuplicateSampleForTimestamp):
		return "duplicate"
	case errors.Is(err, errFuture):
		return "future"
	default:
		return "invalid"
	}
}

// unjoin takes apart what nested calls of errors.Join put together.
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
