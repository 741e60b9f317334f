package spec

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/slowburn/slowburn/slo"
)

var windowRE = regexp.MustCompile(`\{\{\s*\.window\s*\}\}`)

// ExpandWindow replaces {{.window}} by the window.
func ExpandWindow(template string, window time.Duration) string {
	return windowRE.ReplaceAllLiteralString(template, slo.FormatDuration(window))
}

// checkTemplate returns what is wrong with a query, without running it.
func checkTemplate(template string) error {
	if strings.TrimSpace(template) == "" {
		return errors.New("is missing; write a PromQL expression that counts events over {{.window}}")
	}
	if !windowRE.MatchString(template) {
		return errors.New("has no {{.window}}; write increase(metric[{{.window}}]), so that it counts the events of a window")
	}
	return checkNumber(template, "a number of events, as sum(increase(metric[{{.window}}])) does")
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
