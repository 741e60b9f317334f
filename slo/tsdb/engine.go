package tsdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo/tsdb/internal/metadata"
	"github.com/slowburn/slowburn/slo/tsdb/internal/promvalue"
	"github.com/slowburn/slowburn/slo/tsdb/internal/upkeep"
)

// engine evaluates PromQL over a storage and measures it.
type engine struct {
	promql.QueryEngine
	storage   storage.Queryable
	telemetry *metadata.TelemetryBuilder
	broken    func(error) // called after a fault in a mapped file; may be nil
}

// newEngine returns an engine whose queries may each hold maxSamples.
func newEngine(
	config *Config, maxSamples int64, queryable storage.Queryable, logger *slog.Logger, telemetry *metadata.TelemetryBuilder,
) *engine {
	return &engine{
		QueryEngine: promql.NewEngine(promql.EngineOpts{
			Logger:                   logger,
			MaxSamples:               int(maxSamples),
			Timeout:                  config.QueryTimeout,
			LookbackDelta:            lookback,
			EnableAtModifier:         true,
			EnableNegativeOffset:     true,
			NoStepSubqueryIntervalFn: func(int64) int64 { return subqueryStep.Milliseconds() },
			Parser:                   parser.NewParser(parser.Options{}),
		}),
		storage:   queryable,
		telemetry: telemetry,
	}
}

func (e *engine) query(ctx context.Context, expr string, at time.Time) (model.Value, error) {
	q, err := e.NewInstantQuery(ctx, e.storage, nil, expr, at)
	return result(ctx, q, expr, err)
}

func (e *engine) queryRange(ctx context.Context, expr string, r promv1.Range) (model.Value, error) {
	if r.Step < time.Millisecond || r.End.Before(r.Start) {
		return nil, fmt.Errorf("query %q: a range needs a step of 1ms or more and an end that is not before its start, not %s from %s to %s",
			expr, r.Step, r.Start, r.End)
	}
	q, err := e.NewRangeQuery(ctx, e.storage, nil, expr, r.Start, r.End, r.Step)
	return result(ctx, q, expr, err)
}

// result executes the query and copies its result out of the engine's memory, which Close takes back.
func result(ctx context.Context, q promql.Query, expr string, err error) (model.Value, error) {
	if err != nil {
		return nil, fmt.Errorf("query %q: %w", expr, err)
	}
	defer q.Close()
	r := q.Exec(ctx)
	if r.Err != nil {
		if gone := context.Cause(ctx); gone != nil { // which the engine's own errors do not wrap
			return nil, fmt.Errorf("query %q: %w: %w", expr, r.Err, gone)
		}
		return nil, fmt.Errorf("query %q: %w", expr, r.Err)
	}
	return promvalue.Of(r.Value)
}

// NewInstantQuery implements promql.QueryEngine.
func (e *engine) NewInstantQuery(ctx context.Context, q storage.Queryable, opts promql.QueryOpts, expr string, at time.Time) (promql.Query, error) {
	query, err := e.QueryEngine.NewInstantQuery(ctx, q, opts, expr, at)
	return e.measured(query, err)
}

// NewRangeQuery implements promql.QueryEngine.
func (e *engine) NewRangeQuery(
	ctx context.Context, q storage.Queryable, opts promql.QueryOpts, expr string, start, end time.Time, step time.Duration,
) (promql.Query, error) {
	query, err := e.QueryEngine.NewRangeQuery(ctx, q, opts, expr, start, end, step)
	return e.measured(query, err)
}

func (e *engine) measured(query promql.Query, err error) (promql.Query, error) {
	if err != nil {
		e.count("error")
		return nil, err
	}
	return &measuredQuery{Query: query, engine: e}, nil
}

func (e *engine) count(outcome string) {
	e.telemetry.ExtensionTsdbQueries.Add(context.Background(), 1, metric.WithAttributes(attribute.String("outcome", outcome)))
}

// ended counts a query.
func (e *engine) ended(err error, took time.Duration) {
	e.telemetry.ExtensionTsdbQueryDurationSeconds.Record(context.Background(), took.Seconds())
	e.count(outcomeOf(err))
}

// measuredQuery counts how it ended, and how long it took.
type measuredQuery struct {
	promql.Query
	engine *engine
}

// Exec implements promql.Query.
func (q *measuredQuery) Exec(ctx context.Context) *promql.Result {
	// Chunks are mapped files: where one was cut off, or its disk fails, that is a panic now, which PromQL makes the query's error.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	start := clock.Now()
	r := q.Query.Exec(ctx)
	q.engine.ended(r.Err, clock.Since(start))
	if fault := upkeep.Fault(r.Err); fault != nil && q.engine.broken != nil {
		q.engine.broken(fault)
		r.Err = fault
	}
	return r
}

func outcomeOf(err error) string {
	var timeout promql.ErrQueryTimeout
	var canceled promql.ErrQueryCanceled
	switch {
	case err == nil:
		return "success"
	case errors.As(err, &timeout), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		return "canceled"
	default:
		return "error"
	}
}
