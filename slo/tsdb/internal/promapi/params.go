package promapi

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/slowburn/slowburn/slo/tsdb/internal/bounds"
)

// The times that stand for no bound. A client may send them back as they are formatted here, with years of more than four
// digits, which package time does not parse.
var (
	minTime = time.Unix(math.MinInt64/1000+62135596801, 0).UTC()
	maxTime = time.Unix(math.MaxInt64/1000-62135596801, 999999999).UTC()
)

// timeOf reads a time in seconds since 1970 or by RFC 3339; fallback is the time where none is given.
func timeOf(r *http.Request, parameter string, fallback time.Time) (time.Time, error) {
	text := r.FormValue(parameter)
	if text == "" {
		return fallback, nil
	}
	t, err := parseTime(text)
	if err != nil {
		return t, invalid(parameter, fmt.Errorf("invalid time value for '%s': %w", parameter, err))
	}
	return t, nil
}

// requiredTime is timeOf a parameter that must be there.
func requiredTime(r *http.Request, parameter string) (time.Time, error) {
	t, err := parseTime(r.FormValue(parameter))
	if err != nil {
		return t, invalid(parameter, err)
	}
	return t, nil
}

func parseTime(text string) (time.Time, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		whole, part := math.Modf(seconds)
		return time.Unix(int64(whole), int64(math.Round(part*1000)/1000*float64(time.Second))).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, bound := range []time.Time{minTime, maxTime} {
		if text == bound.Format(time.RFC3339Nano) {
			return bound, nil
		}
	}
	return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", text)
}

// period reads start and end, which are open where they are not given.
func period(r *http.Request) (start, end time.Time, err error) {
	if start, err = timeOf(r, "start", minTime); err != nil {
		return start, end, err
	}
	end, err = timeOf(r, "end", maxTime)
	return start, end, err
}

// parseDuration reads seconds, or a duration as PromQL has them.
func parseDuration(text string) (time.Duration, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		ns := seconds * float64(time.Second)
		if ns > math.MaxInt64 || ns < math.MinInt64 {
			return 0, fmt.Errorf("cannot parse %q to a valid duration. It overflows int64", text)
		}
		return time.Duration(ns), nil
	}
	d, err := model.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("cannot parse %q to a valid duration", text)
	}
	return time.Duration(d), nil
}

// limitOf reads how many results are asked for; 0 is no limit.
func limitOf(r *http.Request) (int, error) {
	text := r.FormValue("limit")
	if text == "" {
		return 0, nil
	}
	limit, err := strconv.Atoi(text)
	if err == nil && limit < 0 {
		err = errors.New("limit must be non-negative")
	}
	if err != nil {
		return 0, invalid("limit", err)
	}
	return limit, nil
}

// errTruncated is the warning of an answer that was cut to the limit.
var errTruncated = errors.New("results truncated due to limit")

// hint is the limit for the storage: one more than asked for shows that there are more.
func hint(limit int) int {
	if limit > 0 && limit < math.MaxInt {
		return limit + 1
	}
	return limit
}

// matchers reads the selectors of match[]. Each needs a matcher that the empty string does not pass, or it would select
// everything.
func (a *API) matchers(r *http.Request) ([][]*labels.Matcher, error) {
	selectors := r.Form["match[]"]
	if err := bounds.Texts(selectors, a.settings.Limits.Length); err != nil {
		return nil, err
	}
	sets, err := a.parser.ParseMetricSelectors(selectors)
	if err != nil {
		return nil, err
	}
	for _, set := range sets {
		if !selects(set) {
			return nil, errors.New("match[] must contain at least one non-empty matcher")
		}
	}
	return sets, nil
}

func selects(set []*labels.Matcher) bool {
	for _, m := range set {
		if m != nil && !m.Matches("") {
			return true
		}
	}
	return false
}
