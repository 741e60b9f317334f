package meaning

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

var windowRE = regexp.MustCompile(`\{\{\s*\.window\s*\}\}`)

// Expand replaces {{.window}} by a text.
func Expand(template, window string) string {
	return windowRE.ReplaceAllLiteralString(template, window)
}

const (
	placeholder = "{{.window}}"
	example     = "sum(increase(metric[{{.window}}]))"
)

// Counting returns the query that gives the number of events over {{.window}}: the template, with rate() and irate() read as
// increase(). The error says why the template gives no such number, and what to write. It does not run the query.
func Counting(template string) (string, error) {
	if strings.TrimSpace(template) == "" {
		return "", errors.New("is missing; write a PromQL expression that counts events over {{.window}}, as " + example + " does")
	}
	if !windowRE.MatchString(template) {
		return "", errors.New("has no {{.window}}; write increase(metric[{{.window}}]), so that it counts the events of a window")
	}
	a := analysis{query: query{window: placeholderFor(template)}}
	a.text = Expand(template, a.written())
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(a.text)
	if err != nil {
		return "", fmt.Errorf("is no PromQL: %w", a.plain(err))
	}
	if t := expr.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return "", fmt.Errorf("gives a %s; write what gives a number of events, as %s does", parser.DocumentedType(t), example)
	}
	v, err := a.value(expr, a.window)
	if err == nil {
		err = a.final(expr, v)
	}
	if err != nil {
		return "", err
	}
	if len(v.rates) == 0 {
		return template, nil
	}
	return a.rewritten(v.rates), nil
}

// analysis is the analysis of one query.
type analysis struct {
	query
	// offset is that of the ranges; all of them have the same.
	offset    time.Duration
	hasRanges bool
}

// final returns an error unless the value is a number of events.
func (a *analysis) final(expr parser.Expr, v value) error {
	if v.unit != "" {
		return a.refuse(expr, "counts %s, not events; write sum(increase(%s[{{.window}}])), or histogram_count(increase(…)) of a native histogram",
			v.unit, countOf(v.metric))
	}
	switch v.kind {
	case events, perSecond:
		return nil
	case number:
		return a.refuse(expr, "is a constant, not a number of events; write "+example)
	case share:
		return a.refuse(expr, "is a share of events; write the number of events, as histogram_fraction(0, 0.3, increase(metric[{{.window}}])) * "+
			"histogram_count(increase(metric[{{.window}}])) does")
	default:
		return a.refuse(expr, "is what series say at a moment, not a number of events over a window; write sum(increase(%s[{{.window}}])) "+
			"of a counter, or sum(sum_over_time(%[1]s[{{.window}}])) of a check that is 0 or 1", orMetric(v.metric))
	}
}

func orMetric(name string) string {
	if name == "" {
		return "metric"
	}
	return name
}
