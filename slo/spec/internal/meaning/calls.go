package meaning

import (
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// call returns what a call of a function gives.
func (a *analysis) call(e *parser.Call, window time.Duration) (value, error) {
	switch name := e.Func.Name; name {
	case "increase", "rate", "irate":
		return a.increase(e, window)
	case "count_over_time", "sum_over_time":
		return a.overTime(e, window)
	case "histogram_count":
		v, err := a.value(e.Args[0], window)
		v.unit = ""
		return v, err
	case "histogram_fraction":
		v, err := a.value(e.Args[2], window)
		if err == nil && v.kind != events && v.kind != perSecond {
			err = a.refuse(e, "is a share of all that a histogram counted; write increase(metric[{{.window}}]) in it")
		}
		v.kind, v.unit = share, ""
		return v, err
	case "clamp_min":
		v, err := a.value(e.Args[0], window)
		least, err2 := a.value(e.Args[1], window)
		if err == nil && (err2 != nil || least.kind != number || least.n != 0) {
			err = a.refuse(e, "counts events that are none; write 0 as the least value, or leave clamp_min() out")
		}
		v.form = ""
		return v, err
	case "vector", "scalar", "label_replace", "label_join", "sort", "sort_desc", "sort_by_label", "sort_by_label_desc", "info":
		v, err := a.value(e.Args[0], window)
		v.form = ""
		return v, err
	default:
		return value{}, a.refuse(e, "%s; write %s", because(name), example)
	}
}

// reasons says what functions give that give no number of events.
var reasons = map[string]string{
	"delta":                        "is the difference of a gauge, which goes wrong where a counter begins anew",
	"idelta":                       "is the difference of the last two samples of a gauge",
	"deriv":                        "is the slope of a gauge",
	"predict_linear":               "is a forecast",
	"double_exponential_smoothing": "is a smoothed gauge",
	"histogram_quantile":           "is a duration or size; count the observations above it",
	"histogram_quantiles":          "is a duration or size; count the observations above it",
	"histogram_avg":                "is an average",
	"histogram_sum":                "is a sum of durations or sizes; count with histogram_count()",
	"histogram_stddev":             "is a deviation",
	"histogram_stdvar":             "is a variance",
	"round":                        "rounds each window; the ledger rounds all of them together, and loses nothing",
	"ceil":                         "rounds each window; the ledger rounds all of them together, and loses nothing",
	"floor":                        "rounds each window; the ledger rounds all of them together, and loses nothing",
	"clamp":                        "cuts events off",
	"clamp_max":                    "cuts events off",
	"changes":                      "counts changes, and misses those between two windows",
	"resets":                       "counts restarts of a counter, and misses those between two windows",
	"absent":                       "says that there is no series",
	"absent_over_time":             "says that there is no series",
	"present_over_time":            "says that there is a series",
	"timestamp":                    "is a time",
	"time":                         "is a time",
}

func because(function string) string {
	if text, ok := reasons[function]; ok {
		return text
	}
	if strings.HasSuffix(function, "_over_time") {
		return "is what series say at a moment, or over some, not a number of events"
	}
	return function + "() gives no number of events"
}

// increase returns the value of rate(), irate() and increase().
func (a *analysis) increase(e *parser.Call, window time.Duration) (value, error) {
	v := value{kind: events, factor: 1}
	if e.Func.Name != "increase" {
		v.kind, v.rates = perSecond, []*parser.Call{e}
	}
	selector, err := a.ranged(e, e.Args[0], window)
	if err != nil {
		return v, err
	}
	if selector == nil {
		return v, a.refuse(e, "takes the increase of a result: a counter that begins anew in it looks like all of them; write sum(increase(metric[{{.window}}]))")
	}
	v.metric = nameOf(selector)
	v.unit = unitOf(v.metric)
	if _, steps := unwrapped(e.Args[0]).(*parser.SubqueryExpr); steps {
		return v, a.refuse(e, "reads a counter at steps, and misses events between windows; write sum(increase(%s[{{.window}}]))", orMetric(v.metric))
	}
	if text := noCounter(v.metric); text != "" {
		return v, a.refuse(e, "%s; write sum(increase(metric[{{.window}}])) of the counter that it is made from", text)
	}
	return v, a.oneBucket(selector)
}

// overTime returns the value of count_over_time() and sum_over_time(), which count samples, or the steps of a subquery.
func (a *analysis) overTime(e *parser.Call, window time.Duration) (value, error) {
	v := value{kind: events, factor: 1}
	selector, err := a.ranged(e, e.Args[0], window)
	if err != nil {
		return v, err
	}
	sum := e.Func.Name == "sum_over_time"
	sub, ok := unwrapped(e.Args[0]).(*parser.SubqueryExpr)
	if ok && sub.Step == 0 {
		return v, a.refuse(e, "has no step, so that what it counts depends on the database; write [{{.window}}:1m]")
	}
	if ok && sum && selector == nil {
		return a.summed(e, sub)
	}
	if selector == nil || !sum {
		return v, nil
	}
	v.metric = nameOf(selector)
	v.unit = unitOf(v.metric)
	if isCounter(v.metric) {
		return v, a.refuse(e, "adds up what a counter shows at each sample; write sum(increase(%s[{{.window}}]))", v.metric)
	}
	if isShare(v.metric) {
		return v, a.refuse(e, "adds up recorded rates or ratios; write sum(increase(metric[{{.window}}])) of the counter that they are made from")
	}
	return v, nil
}

// summed returns the value of sum_over_time() over a subquery: each step counts its own events.
func (a *analysis) summed(e *parser.Call, sub *parser.SubqueryExpr) (value, error) {
	if compared, ok := unwrapped(sub.Expr).(*parser.BinaryExpr); ok && compared.Op.IsComparisonOperator() && compared.ReturnBool {
		return value{kind: events, factor: 1}, nil
	}
	v, err := a.value(sub.Expr, sub.Step)
	if err == nil && v.kind != events {
		err = a.refuse(e, "adds up what is no number of events; write sum_over_time(sum(increase(metric[%s]))[{{.window}}:%[1]s]), or without a subquery %s",
			a.short(sub.Step), example)
	}
	return v, err
}

// ranged checks a range and returns its selector, or nil if it is that of another expression.
func (a *analysis) ranged(e *parser.Call, arg parser.Expr, window time.Duration) (*parser.VectorSelector, error) {
	var selector *parser.VectorSelector
	var length time.Duration
	switch r := unwrapped(arg).(type) {
	case *parser.MatrixSelector:
		selector, _ = r.VectorSelector.(*parser.VectorSelector)
		length = r.Range
	case *parser.SubqueryExpr:
		selector, _ = unwrapped(r.Expr).(*parser.VectorSelector)
		length = r.Range
		if r.Timestamp != nil || r.StartOrEnd != 0 {
			return nil, a.refuse(e, "counts at a fixed time; leave @ out")
		}
		if err := a.sameOffset(e, r.OriginalOffset); err != nil {
			return nil, err
		}
	default:
		return nil, a.refuse(e, "has no range; write [{{.window}}]")
	}
	if selector != nil {
		if selector.Timestamp != nil || selector.StartOrEnd != 0 {
			return nil, a.refuse(e, "counts at a fixed time; leave @ out")
		}
		if _, matrix := unwrapped(arg).(*parser.MatrixSelector); matrix && window == a.window {
			if err := a.sameOffset(e, selector.OriginalOffset); err != nil {
				return nil, err
			}
		}
	}
	if length == window {
		return selector, nil
	}
	if window != a.window {
		return nil, a.refuse(e, "counts %s, but the subquery around it has a step of %s, so that events count more or less than once; write [%[2]s]",
			a.short(length), a.short(window))
	}
	return nil, a.refuse(e, "counts the events of %s instead of {{.window}}; write [{{.window}}]. A fixed range counts within a subquery with the same step only: "+
		"sum_over_time(sum(increase(metric[1m]))[{{.window}}:1m])", a.short(length))
}

// sameOffset returns an error if a range has another offset than one before it, or reads the future.
func (a *analysis) sameOffset(e parser.Node, offset time.Duration) error {
	if offset < 0 {
		return a.refuse(e, "counts what has not happened yet; leave the offset out")
	}
	if a.hasRanges && offset != a.offset {
		return a.refuse(e, "counts the events of another time than the rest of the query; write the same offset everywhere, or none")
	}
	a.offset, a.hasRanges = offset, true
	return nil
}

func unwrapped(e parser.Expr) parser.Expr {
	for {
		p, ok := e.(*parser.ParenExpr)
		if !ok {
			return e
		}
		e = p.Expr
	}
}

// selected returns the value of a selector without a range.
func (a *analysis) selected(e *parser.VectorSelector, window time.Duration) (value, error) {
	v := value{kind: level, factor: 1, metric: nameOf(e)}
	if e.Timestamp != nil || e.StartOrEnd != 0 {
		return v, a.refuse(e, "is the value at a fixed time; leave @ out")
	}
	if recorded := "increase" + a.written(); window == a.window && strings.HasSuffix(v.metric, recorded) {
		v.kind = events // a recording rule for each window
		return v, nil
	}
	now := *e
	now.OriginalOffset, now.OriginalOffsetExpr = 0, nil
	v.form, v.past = now.String(), e.OriginalOffset == window
	if e.OriginalOffset != 0 && !v.past {
		v.form = ""
	}
	v.unit = unitOf(v.metric)
	return v, a.oneBucket(e)
}

// oneBucket returns an error for a selector of several buckets of a classic histogram: each of them has the events of those below.
func (a *analysis) oneBucket(selector *parser.VectorSelector) error {
	name := nameOf(selector)
	if !strings.HasSuffix(name, "_bucket") {
		return nil
	}
	for _, m := range selector.LabelMatchers {
		if m.Name == labels.BucketLabel && isOneBound(m) {
			return nil
		}
	}
	return a.refuse(selector, `selects several buckets, each of which has the events of all below it; select one, as {le="0.3"} does, or write %s`,
		strings.TrimSuffix(name, "_bucket")+"_count for all events")
}
