package derive

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/slowburn/slowburn/slo"
)

// SameUnit reports whether an indicator counts in the unit that its account has, whose key is the former indicator as JSON. A key that
// cannot be read counts as the same.
func SameUnit(key string, in slo.Indicator) bool {
	var was struct {
		Type       slo.IndicatorType
		RatioQuery string
		Slices     *struct{ Length time.Duration }
		Components []struct{ Time bool }
	}
	if err := json.Unmarshal([]byte(key), &was); err != nil {
		return true
	}
	former := slo.Indicator{Type: was.Type, RatioQuery: was.RatioQuery}
	if was.Slices != nil {
		former.Slices = &slo.Slices{Length: was.Slices.Length}
	}
	for _, c := range was.Components {
		former.Components = append(former.Components, slo.Component{Time: c.Time})
	}
	before, parts := former.Unit()
	now, partsNow := in.Unit()
	return before == now && parts == partsNow && (in.Slices == nil || in.Slices.Length == former.Slices.Length)
}

// NoneYet says why an objective has no events, empty if the reason is not in this package.
func NoneYet(in slo.Indicator) string {
	switch {
	case in.Type == slo.Composite:
		return "No events yet: none of its components has any within the window."
	case in.Slices != nil:
		return fmt.Sprintf("No slice yet: a slice is counted when all of its %s were evaluated and the database has a sample in it.",
			slo.FormatDuration(in.Slices.Length))
	case in.WantsTraffic():
		return "No minute yet: a minute is counted when the connector sli counted from its start to its end, and its counts reached the " +
			"database in time (see /readyz)."
	case in.RatioQuery != "":
		return "No minute yet: the query promql::error_ratio gives no value, or NaN. Try it with a window of " + slo.FormatDuration(in.Resolution) + "."
	}
	return ""
}

// Unmeasured returns the likely reason why an objective is not measured any more, empty if the reason is not in this package.
func Unmeasured(in slo.Indicator) string {
	switch {
	case in.Type == slo.Composite:
		return "none of its components is measured"
	case in.WantsTraffic():
		return "the counts of the connector sli do not reach the database (see /readyz)"
	case in.RatioQuery != "":
		return "the query promql::error_ratio gives no ratio"
	}
	return ""
}
