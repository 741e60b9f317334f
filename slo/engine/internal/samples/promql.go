package samples

import (
	"context"
	"fmt"
	"math"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/spec"
)

// ReadPromQL counts the events of the minutes from from up to, but not including, to.
//
// A single minute often has fewer than the two samples of a counter that increase() needs. So the events of a minute are those
// of the resolution's window that ends with it, divided by the window's minutes: an event is in as many windows as a window has
// minutes, and so counts once. The extrapolation of increase() at the ends of a window stands for the increments between two windows,
// which it cannot see.
func ReadPromQL(ctx context.Context, q Querier, in slo.Indicator, from, to ledger.Minute) (*Counts, error) {
	if in.RatioQuery != "" {
		return readRatio(ctx, q, in, from, to)
	}
	c := newCounts(from, to)
	minutes := in.Resolution.Minutes()
	err := eachMinute(ctx, q, spec.ExpandWindow(in.TotalQuery, in.Resolution), from, to, func(i int, m model.Metric, v float64) {
		c.Deltas[i].Total += v / minutes
		c.Measured[i] = true
		c.part(partOf(m), from+ledger.Minute(i), false, v/minutes)
	})
	if err != nil {
		return nil, fmt.Errorf("promql::total: %w", err)
	}
	err = eachMinute(ctx, q, spec.ExpandWindow(in.BadQuery, in.Resolution), from, to, func(i int, m model.Metric, v float64) {
		c.Deltas[i].Bad += v / minutes
		c.part(partOf(m), from+ledger.Minute(i), true, v/minutes)
	})
	if err != nil {
		return nil, fmt.Errorf("promql::bad: %w", err)
	}
	return c, nil
}

// eachMinute evaluates a query at the end of each minute and calls add for each series of the result. Without series, or with
// NaN or an infinity, the minute has no events and is not measured.
func eachMinute(ctx context.Context, q Querier, expr string, from, to ledger.Minute, add func(i int, labels model.Metric, v float64)) error {
	return eachValue(ctx, q, expr, from, to, func(i int, labels model.Metric, v float64) {
		if !math.IsInf(v, 0) {
			add(i, labels, max(v, 0))
		}
	})
}

// eachValue evaluates a query at the end of each minute and calls add for each value but NaN.
func eachValue(ctx context.Context, q Querier, expr string, from, to ledger.Minute, add func(i int, labels model.Metric, v float64)) error {
	addSample := func(m ledger.Minute, labels model.Metric, v model.SampleValue) {
		if f := float64(v); m >= from && m < to && !math.IsNaN(f) {
			add(int(m-from), labels, f)
		}
	}
	var v model.Value
	var err error
	if to-from == 1 {
		v, err = q.Query(ctx, expr, from.End())
	} else {
		v, err = q.QueryRange(ctx, expr, promv1.Range{Start: from.End(), End: (to - 1).End(), Step: time.Minute})
	}
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *model.Scalar:
		addSample(from, nil, v.Value)
	case model.Vector:
		for _, s := range v {
			addSample(from, s.Metric, s.Value)
		}
	case model.Matrix:
		for _, series := range v {
			for _, s := range series.Values {
				addSample(ledger.MinuteOf(s.Timestamp.Time()), series.Metric, s.Value)
			}
		}
	default:
		return fmt.Errorf("the time series database answered with a %s to a query for a number", v.Type())
	}
	return nil
}
