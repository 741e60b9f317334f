package spec

import (
	"errors"
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/spec/internal/meaning"
)

// Objective is an entry of the list `objectives`.
type Objective struct {
	Name        string            `mapstructure:"name"`
	Description string            `mapstructure:"description"`
	Service     string            `mapstructure:"service"` // default: the indicator's
	Labels      map[string]string `mapstructure:"labels"`
	Target      float64           `mapstructure:"target"` // percent, above 1: a share is refused
	Window      slo.Duration      `mapstructure:"window"`

	// Exactly one of these is set.
	Availability *Availability `mapstructure:"availability"`
	Latency      *Latency      `mapstructure:"latency"`
	PromQL       *PromQL       `mapstructure:"promql"`
	Derived      `mapstructure:",squash"`

	// Tiers replace the default tiers. An empty list means that the objective never alerts.
	Tiers         []Tier       `mapstructure:"tiers"`
	MinBadEvents  uint64       `mapstructure:"min_bad_events"`
	KeepFiringFor slo.Duration `mapstructure:"keep_firing_for"`
	Receivers     []string     `mapstructure:"receivers"`

	Each `mapstructure:",squash"`

	// unknown is the error of decoding. build returns it, because build can name the objective.
	unknown error
}

// Each makes one objective per service.
type Each struct {
	ForEach string `mapstructure:"for_each"`
	Limit   int    `mapstructure:"limit"`
}

// defaultEach is the most objectives that a definition makes.
const defaultEach = 50

// Availability calls an event bad when its span failed.
type Availability struct {
	Selector `mapstructure:",squash"`
}

// Latency calls an event bad when its span took longer than the threshold, whether it failed or not.
type Latency struct {
	Selector  `mapstructure:",squash"`
	Threshold slo.Duration `mapstructure:"threshold"`
}

// PromQL counts bad and total events over {{.window}} with two queries, or weighs each minute by its error ratio.
type PromQL struct {
	Bad   string `mapstructure:"bad"`
	Total string `mapstructure:"total"`
	// ErrorRatio replaces both.
	ErrorRatio string `mapstructure:"error_ratio"`
	// Resolution is what {{.window}} stands for. Default 5m.
	Resolution slo.Duration `mapstructure:"resolution"`
}

// defaultResolution spans at least four samples of metrics that are written once a minute, which is the default of Prometheus'
// scrapes and of OpenTelemetry SDKs, and two when some are missing.
const defaultResolution = 5 * time.Minute

var _ confmap.Unmarshaler = (*PromQL)(nil)

// Unmarshal decodes the queries over the defaults.
func (p *PromQL) Unmarshal(conf *confmap.Conf) error {
	type plain PromQL
	*p = PromQL{Resolution: slo.Duration(defaultResolution)}
	return conf.Unmarshal((*plain)(p))
}

// Tier replaces a default tier. Exactly one of Budget and Factor is set.
type Tier struct {
	Severity    string       `mapstructure:"severity"`
	LongWindow  slo.Duration `mapstructure:"long_window"`
	ShortWindow slo.Duration `mapstructure:"short_window"`
	Budget      float64      `mapstructure:"budget"` // percent of the error budget
	Factor      float64      `mapstructure:"factor"`
}

var _ confmap.Unmarshaler = (*Objective)(nil)

// defaultObjective returns the defaults of keys that are missing.
func defaultObjective() Objective {
	return Objective{Window: slo.Duration(30 * 24 * time.Hour), MinBadEvents: 1, Each: Each{Limit: defaultEach}}
}

// Unmarshal decodes an objective over the defaults. It returns no error: build does, which can name the objective.
func (o *Objective) Unmarshal(conf *confmap.Conf) error {
	*o = defaultObjective()
	var errs []error
	for _, f := range units.Check("", conf.ToStringMap(), o).Refused {
		errs = append(errs, errors.New(strings.TrimPrefix(f.String(), confmap.KeyDelimiter)))
	}
	o.unknown = errors.Join(append(errs, conf.Unmarshal((*plain)(o)))...)
	return nil
}

// plain is Objective without its Unmarshal.
type plain Objective

// build returns the validated slo.Objective.
func (o Objective) build() (slo.Objective, error) {
	if o.unknown != nil {
		return slo.Objective{}, errors.Join(slo.CheckName(o.Name), o.unknown)
	}
	out := slo.Objective{
		Name: o.Name, Description: o.Description, Service: o.Service, Labels: o.Labels,
		Target: percent(o.Target), Window: time.Duration(o.Window),
		MinBadEvents: o.MinBadEvents, KeepFiringFor: time.Duration(o.KeepFiringFor), Receivers: o.Receivers,
	}
	if o.ForEach != "" {
		out.Each = slo.Each{By: o.ForEach, Limit: o.Limit}
	}
	var errs, conditions errorList
	if o.ForEach == "" && (o.Limit < 1 || o.Limit > slo.MaxEach) {
		errs.addf("limit: %d is not from 1 to %d; write the most objectives that for_each makes", o.Limit, slo.MaxEach)
	}
	out.Indicator = o.indicator(&errs, &conditions)
	if out.Service == "" {
		out.Service = out.Indicator.Spans.Service
	}
	out.Tiers = o.tiers(&errs)
	if o.Target > 0 && o.Target <= 1 { // nobody promises one good event in a hundred
		likely := 99.9
		if o.Target < 1 {
			likely = math.Round(o.Target*1e12) / 1e10
		}
		errs.addf("target: %v is a share, but target is in percent; write %v", o.Target, likely)
	}
	if len(errs) == 0 {
		errs.add(out.Validate())
	}
	errs = append(errs, conditions...)
	return out, errs.join()
}

func (o Objective) indicator(errs, conditions *errorList) slo.Indicator {
	var in slo.Indicator
	set := 0
	if t := o.Throughput; t != nil {
		set++
		in = t.indicator(errs)
	}
	if f := o.Freshness; f != nil {
		set++
		in = slo.Indicator{Type: slo.Freshness, Phi: f.Phi}
		f.applyTraffic(&in, errs)
	}
	if o.Composite != nil {
		set++
		in = composite(o.Composite, errs)
	}
	if a := o.Availability; a != nil {
		set++
		in = slo.Indicator{Type: slo.Availability}
		a.apply(&in, conditions)
	}
	if l := o.Latency; l != nil {
		set++
		in = slo.Indicator{Type: slo.Latency, Threshold: time.Duration(l.Threshold)}
		l.apply(&in, conditions)
	}
	if p := o.PromQL; p != nil {
		set++
		in = slo.Indicator{Type: slo.PromQL, RatioQuery: p.ErrorRatio, Resolution: time.Duration(p.Resolution)}
		if p.ErrorRatio != "" {
			p.checkRatio(errs)
		} else {
			var err error
			in.BadQuery, err = meaning.Counting(p.Bad)
			errs.key("promql::bad", err)
			in.TotalQuery, err = meaning.Counting(p.Total)
			errs.key("promql::total", err)
		}
	}
	if set != 1 {
		errs.addf("has %d of %s; write exactly one", set, strings.Join(slo.IndicatorTypes, ", "))
	}
	in.Slices = o.Slices.build(errs)
	return in
}

func (o Objective) tiers(errs *errorList) []slo.Tier {
	if o.Tiers == nil {
		return slo.TiersFor(time.Duration(o.Window))
	}
	tiers := make([]slo.Tier, len(o.Tiers))
	for i, t := range o.Tiers {
		tiers[i] = slo.Tier{
			Severity:    slo.Severity(t.Severity),
			LongWindow:  time.Duration(t.LongWindow),
			ShortWindow: time.Duration(t.ShortWindow),
			Share:       percent(t.Budget),
		}
		switch {
		case (t.Budget != 0) == (t.Factor != 0):
			errs.addf("tiers[%d]: has not exactly one of budget and factor; write budget in percent of the error budget, or factor as a burn rate", i)
		case t.Factor != 0 && o.Window > 0:
			tiers[i].Share = slo.ShareOf(t.Factor, tiers[i].LongWindow, time.Duration(o.Window))
		}
	}
	return tiers
}
