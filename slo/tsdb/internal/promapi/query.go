package promapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/stats"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/slo/tsdb/internal/bounds"
)

// maxPoints is how many points a series of a range may have: a week by the minute, or a year by the hour.
const maxPoints = 11_000

// queryData is the data of an answer to a query.
type queryData struct {
	value parser.Value
	stats stats.QueryStats
}

// prepare makes a query of an engine.
type prepare func(context.Context, promql.QueryEngine, promql.QueryOpts) (promql.Query, error)

func (a *API) query(r *http.Request, turn *gate.Turn) (answer, error) {
	at, err := timeOf(r, "time", clock.Wall())
	if err != nil {
		return answer{}, err
	}
	return a.evaluate(r, turn, bounds.Evaluation{Start: at, End: at},
		func(ctx context.Context, engine promql.QueryEngine, opts promql.QueryOpts) (promql.Query, error) {
			return engine.NewInstantQuery(ctx, a.settings.Queryable, opts, r.FormValue("query"), at)
		})
}

func (a *API) queryRange(r *http.Request, turn *gate.Turn) (answer, error) {
	start, err := requiredTime(r, "start")
	if err != nil {
		return answer{}, err
	}
	end, err := requiredTime(r, "end")
	if err != nil {
		return answer{}, err
	}
	if end.Before(start) {
		return answer{}, invalid("end", errors.New("end timestamp must not be before start time"))
	}
	step, err := parseDuration(r.FormValue("step"))
	if err == nil && step <= 0 {
		err = errors.New("zero or negative query resolution step widths are not accepted. Try a positive integer")
	} else if err == nil && step < time.Millisecond {
		err = fmt.Errorf("%s is shorter than a millisecond, which samples are apart at least: write 1ms or more", step)
	}
	if err != nil {
		return answer{}, invalid("step", err)
	}
	if end.Sub(start)/step > maxPoints {
		return answer{}, badRequest{errors.New(
			"exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")}
	}
	return a.evaluate(r, turn, bounds.Evaluation{Start: start, End: end, Step: step},
		func(ctx context.Context, engine promql.QueryEngine, opts promql.QueryOpts) (promql.Query, error) {
			return engine.NewRangeQuery(ctx, a.settings.Queryable, opts, r.FormValue("query"), start, end, step)
		})
}

// evaluate executes the query that prepare makes, with what both kinds of queries have in common.
func (a *API) evaluate(r *http.Request, turn *gate.Turn, e bounds.Evaluation, prepare prepare) (answer, error) {
	limit, err := limitOf(r)
	if err != nil {
		return answer{}, err
	}
	ctx := r.Context()
	if text := r.FormValue("timeout"); text != "" {
		d, err := parseDuration(text)
		if err != nil {
			return answer{}, invalid("timeout", err)
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	var delta time.Duration
	if text := r.FormValue("lookback_delta"); text != "" {
		if delta, err = parseDuration(text); err != nil {
			return answer{}, badRequest{fmt.Errorf("error parsing lookback delta duration: %w", err)}
		}
	}
	expr, err := a.parse(r.FormValue("query"))
	if err != nil {
		return answer{}, invalid("query", err)
	}
	e.SubqueryStep = a.settings.Limits.SubqueryStep
	wanted := r.FormValue("stats")
	query, result, err := a.execute(ctx, turn, expr, e, func(engine promql.QueryEngine) (promql.Query, error) {
		return prepare(ctx, engine, promql.NewPrometheusQueryOpts(wanted == "all", delta))
	})
	if err != nil {
		return answer{}, err
	}
	found := answer{warnings: result.Warnings, close: query.Close}
	if result.Err != nil {
		return found, result.Err
	}
	data := &queryData{value: result.Value}
	if cut(&data.value, limit) {
		found.warnings.Add(errTruncated)
	}
	switch wanted {
	case "":
	case "true", "all":
		data.stats = stats.NewQueryStats(query.Stats())
	default:
		data.stats = stats.NewQueryStats(query.Stats())
		found.warnings.Add(fmt.Errorf("value %q for parameter \"stats\" is deprecated and will be rejected in the next major release, "+
			"use \"true\" or \"all\"", wanted))
	}
	found.data = data
	return found, nil
}

// cut shortens a value of many series to limit of them, and reports whether there were more. A limit of 0 is none.
func cut(value *parser.Value, limit int) bool {
	if limit == 0 {
		return false
	}
	switch v := (*value).(type) {
	case promql.Matrix:
		if len(v) > limit {
			*value = v[:limit]
			return true
		}
	case promql.Vector:
		if len(v) > limit {
			*value = v[:limit]
			return true
		}
	}
	return false
}

func (a *API) formatQuery(r *http.Request, _ *gate.Turn) (answer, error) {
	expr, err := a.parse(r.FormValue("query"))
	if err != nil {
		return answer{}, invalid("query", err)
	}
	text, err := bounds.Format(expr)
	if err != nil {
		return answer{}, invalid("query", err)
	}
	return answer{data: text}, nil
}

func (a *API) parseQuery(r *http.Request, _ *gate.Turn) (answer, error) {
	expr, err := a.parse(r.FormValue("query"))
	if err != nil {
		return answer{}, invalid("query", err)
	}
	return answer{data: tree(expr)}, nil
}

func (a *API) queryExemplars(r *http.Request, turn *gate.Turn) (answer, error) {
	start, end, err := period(r)
	if err != nil {
		return answer{}, err
	}
	if end.Before(start) {
		return answer{}, badRequest{errors.New("end timestamp must not be before start timestamp")}
	}
	expr, err := a.parse(r.FormValue("query"))
	if err != nil {
		return answer{}, badRequest{err}
	}
	if err := a.reserve(r, turn); err != nil {
		return answer{}, err
	}
	selectors := parser.ExtractSelectors(expr)
	if len(selectors) == 0 {
		return answer{}, nil
	}
	querier, err := a.settings.Exemplars.ExemplarQuerier(r.Context())
	if err != nil {
		return answer{}, err
	}
	found, err := querier.Select(timestamp.FromTime(start), timestamp.FromTime(end), selectors...)
	return answer{data: found}, err
}
