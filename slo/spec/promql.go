package spec

import (
	"time"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/spec/internal/meaning"
)

// ExpandWindow replaces {{.window}} by the window.
func ExpandWindow(template string, window time.Duration) string {
	return meaning.Expand(template, slo.FormatDuration(window))
}
