package meaning

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

func (a *analysis) binary(e *parser.BinaryExpr, window time.Duration) (value, error) {
	if e.Op.IsComparisonOperator() {
		return value{}, a.refuse(e, "compares, which gives no number of events; leave the comparison out, or count the minutes in which it holds: "+
			"count_over_time((…)[{{.window}}:1m])")
	}
	left, err := a.value(e.LHS, window)
	if err != nil || e.Op == parser.LAND || e.Op == parser.LUNLESS { // the right side only selects series
		return left, err
	}
	right, err := a.value(e.RHS, window)
	if err != nil {
		return right, err
	}
	switch e.Op {
	case parser.ADD, parser.SUB:
		return a.added(e, left, right)
	case parser.LOR:
		return a.either(e, left, right)
	case parser.MUL:
		return a.multiplied(e, left, right)
	case parser.DIV:
		return a.divided(e, left, right)
	default:
		return value{}, a.refuse(e, "is no sum or difference of numbers of events; write one, as %s does", example)
	}
}

// added returns the sum or difference of two values.
func (a *analysis) added(e *parser.BinaryExpr, left, right value) (value, error) {
	minus := e.Op == parser.SUB
	switch {
	case left.kind == number && right.kind == number:
		if minus {
			right.n = -right.n
		}
		left.n += right.n
		left.seconds = left.seconds || right.seconds
		return left, nil
	case left.kind == number && right.kind == share && minus:
		return right, nil
	case right.kind == number && right.n == 0:
		return left, nil
	case left.kind == number && left.n == 0:
		return right, nil
	case left.kind == number || right.kind == number:
		return left, a.refuse(e, "adds a constant to the events of each window; leave the constant out")
	case left.kind == level && right.kind == level:
		if minus && left.form != "" && left.form == right.form && !left.past && right.past && isCounter(left.metric) {
			left.kind, left.factor, left.form = events, 1, ""
			return left, nil
		}
		return left, a.refuse(e, "is no difference of one counter now and {{.window}} ago; write sum(increase(%s[{{.window}}]))", orMetric(left.metric))
	}
	return a.joined(e, left, right, "adds")
}

// either returns the value of `left or right`.
func (a *analysis) either(e *parser.BinaryExpr, left, right value) (value, error) {
	switch {
	case left.kind == number:
		return left, a.refuse(e, "never gives its right side where both have the same labels; write the constant last: … or vector(0)")
	case right.kind == number && right.n == 0:
		return left, nil
	case right.kind == number:
		return left, a.refuse(e, "counts events where there are none; write … or vector(0)")
	}
	return a.joined(e, left, right, "mixes")
}

// joined returns two values as one, which they are if both are of a kind.
func (a *analysis) joined(e *parser.BinaryExpr, left, right value, verb string) (value, error) {
	switch {
	case left.kind == level || right.kind == level:
		v := left
		if right.kind == level {
			v = right
		}
		return v, a.refuse(e, "%s what series say at a moment; write increase(%s[{{.window}}]) for each counter", verb, orMetric(v.metric))
	case left.kind != right.kind:
		return left, a.refuse(e, "%s different things: events, events per second or shares of them; write increase(metric[{{.window}}]) for each", verb)
	case left.kind == share:
		return left, a.refuse(e, "%s shares; multiply each by its number of events first", verb)
	}
	left.rates = slices.Concat(left.rates, right.rates)
	if left.unit == "" {
		left.metric, left.unit = right.metric, right.unit
	}
	return left, nil
}

func (a *analysis) multiplied(e *parser.BinaryExpr, left, right value) (value, error) {
	switch {
	case right.kind == number:
		return a.scaled(e, left, right)
	case left.kind == number:
		return a.scaled(e, right, left)
	case left.kind == share:
		left, right = right, left
	}
	if right.kind == share && (left.kind == events || left.kind == perSecond) {
		left.rates = slices.Concat(left.rates, right.rates)
		return left, nil
	}
	return left, a.refuse(e, "multiplies with what is no constant; write %s, with the series that count in its matchers", example)
}

func (a *analysis) divided(e *parser.BinaryExpr, left, right value) (value, error) {
	if right.kind == number {
		right.n = 1 / right.n
		return a.scaled(e, left, right)
	}
	return left, a.refuse(e, "is a ratio, not a number of events; write what is above the line in bad and what is below it in total, each as "+example)
}
