package spec

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/slo"
)

// Derived holds the keys of objectives that count other things than single events.
type Derived struct {
	Throughput *Throughput `mapstructure:"throughput"`
	Freshness  *Freshness  `mapstructure:"freshness"`
	Composite  []Component `mapstructure:"composite"`
	// Slices counts slices of time instead of the events of another indicator.
	Slices *Slices `mapstructure:"slices"`
}

// Throughput calls a minute bad in which there were fewer events than the minimum.
type Throughput struct {
	Selector `mapstructure:",squash"`
	// Minimum is a rate: 50/s, 3000/m, 180000/h.
	Minimum string `mapstructure:"minimum"`
}

var _ confmap.Unmarshaler = (*Throughput)(nil)

// Unmarshal also takes a number as the minimum, so that the error can say that it has no unit.
func (t *Throughput) Unmarshal(conf *confmap.Conf) error {
	type plain Throughput
	keys := conf.ToStringMap()
	switch v := keys["minimum"].(type) {
	case int, int64, uint64, float64:
		keys["minimum"] = fmt.Sprint(v)
	}
	return confmap.NewFromStringMap(keys).Unmarshal((*plain)(t))
}

func (t *Throughput) indicator(errs *errorList) slo.Indicator {
	minimum, err := parseRate(t.Minimum)
	errs.key("throughput::minimum", err)
	in := slo.Indicator{Type: slo.Throughput, Minimum: minimum}
	t.applyTraffic(&in, errs)
	return in
}

// applyTraffic is apply for an indicator that asks how many events there are, not whether they are good.
func (s Selector) applyTraffic(in *slo.Indicator, errs *errorList) {
	if s.Bad != nil {
		errs.addf("%s::bad: no event is bad, as only their number matters; remove it, or select events by attributes", in.Type)
		s.Bad = nil
	}
	s.apply(in, errs)
}

// Freshness calls a minute bad in which traffic has probably stopped.
type Freshness struct {
	Selector `mapstructure:",squash"`
	// Phi is how suspicious a silence must be.
	Phi float64 `mapstructure:"phi"`
}

var _ confmap.Unmarshaler = (*Freshness)(nil)

// Unmarshal decodes the indicator over the default.
func (f *Freshness) Unmarshal(conf *confmap.Conf) error {
	type plain Freshness
	*f = Freshness{Phi: 8}
	return conf.Unmarshal((*plain)(f))
}

// rateUnits maps the units of a rate to how many of them a minute has.
var rateUnits = map[string]float64{"s": 60, "m": 1, "h": 1. / 60}

// parseRate returns the events per minute of a rate.
func parseRate(text string) (float64, error) {
	number, unit, ok := strings.Cut(text, "/")
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	perMinute, known := rateUnits[strings.TrimSpace(unit)]
	switch {
	case text == "":
		return 0, errors.New("is missing; write a rate such as 50/s")
	case err != nil || math.IsInf(n, 0) || math.IsNaN(n):
		return 0, fmt.Errorf("%q is no rate; write one such as 50/s, 3000/m or 180000/h", text)
	case !ok:
		return 0, fmt.Errorf("%q has no unit; write %[2]s/s, %[2]s/m or %[2]s/h", text, strings.TrimSpace(number))
	case !known:
		return 0, fmt.Errorf("%q is not per s, m or h; write a rate such as 50/s, 3000/m or 180000/h", text)
	case n <= 0:
		return 0, fmt.Errorf("%q is not above 0; write a rate such as 50/s", text)
	}
	return n * perMinute, nil
}

// checkRatio adds what is wrong with error_ratio. A gauge needs no {{.window}}.
func (p *PromQL) checkRatio(errs *errorList) {
	if p.Bad != "" || p.Total != "" {
		errs.addf("promql: has error_ratio beside bad or total; write error_ratio alone, or bad and total, which weigh each minute by its traffic")
	}
	if strings.TrimSpace(p.ErrorRatio) == "" {
		errs.addf("promql::error_ratio: is blank; write a PromQL expression that gives the share of bad events, from 0 to 1")
		return
	}
	errs.key("promql::error_ratio", checkNumber(p.ErrorRatio, "one number from 0 to 1, as 1 - avg(avg_over_time(probe_success[{{.window}}])) does"))
}

// Slices counts slices of time instead of events: a slice is good if enough of its events are.
type Slices struct {
	Length        slo.Duration `mapstructure:"length"`
	Target        float64      `mapstructure:"target"` // percent of good events in a slice
	WithoutEvents string       `mapstructure:"without_events"`
}

var _ confmap.Unmarshaler = (*Slices)(nil)

// Unmarshal decodes the slices over the defaults. Slices are asked for where time counts, also that without traffic.
func (s *Slices) Unmarshal(conf *confmap.Conf) error {
	type plain Slices
	*s = Slices{Length: slo.Duration(time.Minute), WithoutEvents: string(slo.EmptyGood)}
	return conf.Unmarshal((*plain)(s))
}

func (s *Slices) build(errs *errorList) *slo.Slices {
	if s == nil {
		return nil
	}
	if s.Target > 0 && s.Target <= 1 {
		likely := 99.
		if s.Target < 1 {
			likely = math.Round(s.Target*1e12) / 1e10
		}
		errs.addf("slices::target: %v is a share, but target is in percent; write %v", s.Target, likely)
	}
	return &slo.Slices{Length: time.Duration(s.Length), Target: percent(s.Target), Empty: slo.EmptySlice(s.WithoutEvents)}
}
