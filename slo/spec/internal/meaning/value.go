package meaning

import (
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

type kind int

// The kinds of values.
const (
	number kind = iota
	events
	perSecond
	level
	share
)

// value is what a part of a query gives.
type value struct {
	kind kind
	// n is the value of a number; seconds says that it is written as a duration.
	n       float64
	seconds bool
	// factor is the product of the constants that events and perSecond were multiplied with.
	factor float64
	// rates are the calls of rate() and irate() in it.
	rates []*parser.Call
	// metric is the name of a metric in it, unit the unit that this name gives, other than events.
	metric, unit string
	// form tells levels apart: those of one form differ by past at most, which says that the level is that of the window's start.
	form string
	past bool
}

// value returns what an expression gives. A range counts if it is window long: {{.window}}, or within a subquery its step.
func (a *analysis) value(expr parser.Expr, window time.Duration) (value, error) {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return a.value(e.Expr, window)
	case *parser.NumberLiteral:
		return value{kind: number, n: e.Val, seconds: e.Duration, factor: 1}, nil
	case *parser.UnaryExpr:
		v, err := a.value(e.Expr, window)
		if err != nil || e.Op != parser.SUB {
			return v, err
		}
		return a.scaled(e, v, value{kind: number, n: -1})
	case *parser.VectorSelector:
		return a.selected(e, window)
	case *parser.AggregateExpr:
		return a.aggregate(e, window)
	case *parser.Call:
		return a.call(e, window)
	case *parser.BinaryExpr:
		return a.binary(e, window)
	default:
		return value{}, a.refuse(expr, "is no number of events; write "+example)
	}
}

// aggregations says what the result of an aggregation other than sum is.
var aggregations = map[parser.ItemType]string{
	parser.AVG:          "is an average over series",
	parser.MAX:          "is the largest of several series",
	parser.MIN:          "is the smallest of several series",
	parser.COUNT:        "is the number of series",
	parser.GROUP:        "is 1 for each group of series",
	parser.STDDEV:       "is a deviation between series",
	parser.STDVAR:       "is a variance between series",
	parser.QUANTILE:     "is a quantile over series",
	parser.COUNT_VALUES: "is the number of series",
	parser.TOPK:         "leaves series out",
	parser.BOTTOMK:      "leaves series out",
	parser.LIMITK:       "leaves series out",
	parser.LIMIT_RATIO:  "leaves series out",
}

func (a *analysis) aggregate(e *parser.AggregateExpr, window time.Duration) (value, error) {
	if e.Op != parser.SUM {
		text, ok := aggregations[e.Op]
		if !ok {
			text = "is no sum over series"
		}
		return value{}, a.refuse(e, "%s, not a number of events; write %s", text, example)
	}
	v, err := a.value(e.Expr, window)
	if err == nil && v.kind == share {
		err = a.refuse(e, "adds up shares, which gives no share; multiply each by its number of events before you add them up")
	}
	if v.form != "" {
		v.form = grouping(e) + "(" + v.form + ")"
	}
	return v, err
}

// grouping returns the text of an aggregation without what it aggregates.
func grouping(e *parser.AggregateExpr) string {
	text := "sum"
	if e.Without {
		text = "sum without"
	}
	for _, label := range slices.Sorted(slices.Values(e.Grouping)) {
		text += " " + label
	}
	return text
}

// scaled returns a value multiplied with a number.
func (a *analysis) scaled(expr parser.Node, v, by value) (value, error) {
	n := by.n
	switch {
	case math.IsNaN(n) || math.IsInf(n, 0):
		return v, a.refuse(expr, "is not finite; write a factor that is a number")
	case v.kind == number:
		v.n *= n
		v.seconds = v.seconds || by.seconds
		return v, nil
	case v.kind == level, v.kind == share:
		v.form = ""
		return v, nil
	}
	v.factor *= n
	const write = "write increase() alone, which is the number of events"
	switch {
	case by.seconds:
		return v, a.refuse(expr, "multiplies or divides events by a time; "+write)
	case v.kind == perSecond && wholeMinutes(v.factor):
		return v, a.refuse(expr, "multiplies a rate per second by %v, which may be seconds; "+write+", or increase() * %[1]v if each stands for so many",
			math.Abs(v.factor))
	case v.kind == events && v.factor != 0 && wholeMinutes(1/v.factor):
		return v, a.refuse(expr, "divides an increase by %v, which may be seconds and gives a rate; "+write, math.Abs(math.Round(1/v.factor)))
	}
	return v, nil
}

// wholeMinutes reports whether people may convert rates with a number of seconds: 60, 300, 3600.
func wholeMinutes(n float64) bool {
	n = math.Abs(n)
	return n >= 59.999 && math.Abs(n/60-math.Round(n/60)) < 1e-6
}
