package spec

import (
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/spec/internal/meaning"
)

// ExpandWindow replaces {{.window}} by the window.
func ExpandWindow(template string, window time.Duration) string {
	return meaning.Expand(template, slo.FormatDuration(window))
}

// checkNumber returns what is wrong with a query whose values must be numbers. want describes them.
func checkNumber(template, want string) error {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(ExpandWindow(template, time.Minute))
	if err != nil {
		return fmt.Errorf("is no PromQL: %w", err)
	}
	switch t := expr.Type(); t {
	case parser.ValueTypeVector, parser.ValueTypeScalar:
		return nil
	default:
		return fmt.Errorf("gives a %s; write what gives %s", parser.DocumentedType(t), want)
	}
}
