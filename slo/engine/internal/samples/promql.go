package samples

import (
	"context"
	"fmt"
	"math"
	"strings"
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
//
// A minute of which the queries give what cannot be has no events and is not measured. The doubt is about the last such minute.
func ReadPromQL(ctx context.Context, q Querier, in slo.Indicator, from, to ledger.Minute) (*Counts, Doubt, error) {
	if in.RatioQuery != "" {
		c, err := readRatio(ctx, q, in, from, to)
		return c, Doubt{}, err
	}
	total, err := eachMinute(ctx, q, "promql::total", spec.ExpandWindow(in.TotalQuery, in.Resolution), from, to)
	if err != nil {
		return nil, Doubt{}, fmt.Errorf("promql::total: %w", err)
	}
	bad, err := eachMinute(ctx, q, "promql::bad", spec.ExpandWindow(in.BadQuery, in.Resolution), from, to)
	if err != nil {
		return nil, Doubt{}, fmt.Errorf("promql::bad: %w", err)
	}
	c := newCounts(from, to)
	var doubt Doubt
	minutes := in.Resolution.Minutes()
	for i := range c.Deltas {
		if text := doubtful(&bad[i], &total[i]); text != "" {
			doubt = Doubt{Minute: from + ledger.Minute(i), Text: text}
			continue
		}
		if total[i].found {
			all := max(total[i].sum, 0)
			failed := min(max(bad[i].sum, 0), all)
			c.Deltas[i] = ledger.Delta{Total: all / minutes, Bad: failed / minutes}
			c.Measured[i] = true
			c.parts(total[i].series, from+ledger.Minute(i), false, all/minutes)
			c.parts(bad[i].series, from+ledger.Minute(i), true, failed/minutes)
		}
	}
	return c, doubt.over(in.Resolution), nil
}

// eachMinute evaluates a query at the end of each minute.
func eachMinute(ctx context.Context, q Querier, name, expr string, from, to ledger.Minute) ([]answer, error) {
	answers := make([]answer, to-from)
	for i := range answers {
		answers[i].query = name
	}
	quiet, absent := strings.Contains(expr, "histogram_fraction"), strings.Contains(expr, "scalar")
	add := func(m ledger.Minute, labels model.Metric, v model.SampleValue) {
		nan := math.IsNaN(float64(v))
		switch {
		case m < from || m >= to:
		case nan && quiet: // there is no share of no events
			answers[m-from].add(labels, 0)
		case nan && absent: // that is no value
		default:
			answers[m-from].add(labels, float64(v))
		}
	}
	addHistogram := func(m ledger.Minute) {
		if m >= from && m < to {
			answers[m-from].histogram = true
		}
	}
	return answers, eachSample(ctx, q, expr, from, to, add, addHistogram)
}

// eachSample evaluates a query at the end of each minute, and calls add for each value of the result and addHistogram for each histogram.
func eachSample(ctx context.Context, q Querier, expr string, from, to ledger.Minute,
	add func(ledger.Minute, model.Metric, model.SampleValue), addHistogram func(ledger.Minute)) error {
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
		add(from, nil, v.Value)
	case model.Vector:
		for _, s := range v {
			if s.Histogram != nil {
				addHistogram(from)
				continue
			}
			add(from, s.Metric, s.Value)
		}
	case model.Matrix:
		for _, series := range v {
			for _, s := range series.Values {
				add(ledger.MinuteOf(s.Timestamp.Time()), series.Metric, s.Value)
			}
			for _, s := range series.Histograms {
				addHistogram(ledger.MinuteOf(s.Timestamp.Time()))
			}
		}
	default:
		return fmt.Errorf("the time series database answered with a %s to a query for a number", v.Type())
	}
	return nil
}

// answer is what a query gave at the end of a minute: the events of its window.
type answer struct {
	query     string
	sum       float64 // of all series
	below     float64 // of those that are negative
	found     bool
	histogram bool
	series    []seriesValue
}

// seriesValue is the value of a series.
type seriesValue struct {
	labels model.Metric
	v      float64
}

// add adds the value of a series.
func (a *answer) add(labels model.Metric, v float64) {
	if v > 0 {
		a.series = append(a.series, seriesValue{labels, v})
	}
	a.found = true
	a.sum += v
	a.below += min(v, 0)
}

// increase() extrapolates, and rounds nothing: what is impossible by less than one event, and a share of all, may be its error.
const (
	tolerated      = 1
	toleratedShare = 0.05
)

// doubtful says why the two answers cannot be; empty if they can.
func doubtful(bad, total *answer) string {
	for _, a := range []*answer{total, bad} {
		switch {
		case a.histogram:
			return a.query + " gives a histogram, not a number; write histogram_count(…) around it."
		case math.IsNaN(a.sum) || math.IsInf(a.sum, 0):
			return fmt.Sprintf("%s gives %v, not a number of events.", a.query, a.sum)
		case -a.below > tolerated+toleratedShare*max(a.sum, total.sum):
			return fmt.Sprintf("%s gives %s, and there are no negative events: write what counts events, such as increase() of a counter.", a.query, number(a.below))
		}
	}
	switch {
	case !total.found && bad.sum > tolerated:
		return fmt.Sprintf("%s gives %s and %s no value: write a total that counts the bad events too.", bad.query, number(bad.sum), total.query)
	case bad.sum > total.sum+tolerated+toleratedShare*total.sum && total.found:
		return fmt.Sprintf("%s gives %s and %s only %s, and there cannot be more bad events than events: write a total that counts the bad events too.",
			bad.query, number(bad.sum), total.query, number(total.sum))
	}
	return ""
}

// parts adds the parts of a minute's events: those of each series, in the proportions of their values.
func (c *Counts) parts(series []seriesValue, m ledger.Minute, bad bool, events float64) {
	sum := 0.0
	for _, s := range series {
		sum += s.v
	}
	for _, s := range series {
		c.part(partOf(s.labels), m, bad, events*s.v/sum)
	}
}

// number formats a number of events.
func number(v float64) string {
	if math.Abs(v) >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// Doubt says, for people, why what the queries of an objective gave of a minute cannot be. The zero value is no doubt.
type Doubt struct {
	Minute ledger.Minute
	Text   string
}

// over completes the text with the minute and the window that it is about.
func (d Doubt) over(resolution time.Duration) Doubt {
	if d.Text != "" {
		d.Text = fmt.Sprintf("Nothing was counted at %s: over %s, %s", d.Minute.End().Format(time.RFC3339), slo.FormatDuration(resolution), d.Text)
	}
	return d
}
