package promapi

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/slo/tsdb/internal/bounds"
)

// errMemory means that a query needs more memory than it can ever get.
var errMemory = errors.New("raise tsdb::query::memory, or select fewer series, a shorter range or a larger step")

// growth is how many engines further a query that held too many samples is retried: with four times as many.
const growth = 2

// execute evaluates the query that prepare makes of an engine, and counts how it ended.
func (a *API) execute(
	ctx context.Context, turn *gate.Turn, expr parser.Expr, e bounds.Evaluation, prepare func(promql.QueryEngine) (promql.Query, error),
) (promql.Query, *promql.Result, error) {
	start := clock.Now()
	query, result, err := a.executeWithin(ctx, turn, expr, e, prepare)
	ended := err
	if err == nil {
		ended = result.Err
	}
	a.settings.Ended(ended, clock.Since(start))
	return query, result, err
}

// executeWithin finds the memory for the query. It begins with the least memory that its plan has room in. A query
// that needs more begins anew with four times as much, which costs a third more than to know before, and lets those that need
// little, most of them, run beside each other.
func (a *API) executeWithin(
	ctx context.Context, turn *gate.Turn, expr parser.Expr, e bounds.Evaluation, prepare func(promql.QueryEngine) (promql.Query, error),
) (promql.Query, *promql.Result, error) {
	engines := a.settings.Engines
	cost, err := bounds.Plan(expr, e, engines[len(engines)-1].MaxSamples)
	if err != nil {
		return nil, nil, invalid("query", err)
	}
	last := len(engines) - 1
	for last > 0 && engines[last].MaxSamples*cost.Bytes > turn.Memory() {
		last--
	}
	if cost.Samples > engines[last].MaxSamples {
		return nil, nil, fmt.Errorf("the query needs at least %d samples of %d bytes in memory: %w", cost.Samples, cost.Bytes, errMemory)
	}
	at := 0
	for engines[at].MaxSamples < cost.Samples {
		at++
	}
	for {
		engine := engines[at]
		if err := turn.Reserve(ctx, engine.MaxSamples*cost.Bytes); err != nil {
			return nil, nil, err
		}
		query, err := prepare(engine)
		if err != nil {
			return nil, nil, invalid("query", err)
		}
		result := query.Exec(ctx)
		var tooMany promql.ErrTooManySamples
		if !errors.As(result.Err, &tooMany) {
			return query, result, nil
		}
		if at == last {
			result.Err = fmt.Errorf("%w: it held more than %d: %w", result.Err, engine.MaxSamples, errMemory)
			return query, result, nil
		}
		query.Close()
		at = min(at+growth, last)
	}
}
