package spec

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/slo"
)

// Component is an objective within a composite one.
type Component struct {
	Objective string  `mapstructure:"objective"`
	Weight    float64 `mapstructure:"weight"` // a whole number, so that the sums are
}

var _ confmap.Unmarshaler = (*Component)(nil)

// Unmarshal decodes the component over the default weight.
func (c *Component) Unmarshal(conf *confmap.Conf) error {
	type plain Component
	*c = Component{Weight: 1}
	return conf.Unmarshal((*plain)(c))
}

func composite(components []Component, errs *errorList) slo.Indicator {
	in := slo.Indicator{Type: slo.Composite, Components: make([]slo.Component, len(components))}
	for i, c := range components {
		in.Components[i] = slo.Component{Objective: c.Objective, Scale: 1}
		if c.Weight < 0 || c.Weight > math.MaxInt32 || c.Weight != math.Trunc(c.Weight) {
			errs.addf("composite[%d]::weight: %v is no whole number from 1 to 1000; write 2 and 1 rather than 1 and 0.5", i, c.Weight)
			continue
		}
		in.Components[i].Weight = uint64(c.Weight)
	}
	return in
}

// resolve finds the components of composite objectives and sets what they count. Unknown names, cycles, and components of which
// some count events and some count time are errors.
func (l *loader) resolve() {
	r := resolver{loader: l, byName: map[string]int{}, done: map[string]bool{}}
	for i, o := range l.objectives {
		r.byName[o.Name] = i
	}
	for _, o := range l.objectives {
		r.visit(o.Name, nil)
	}
}

type resolver struct {
	*loader
	byName map[string]int
	done   map[string]bool // the objective and all below it are resolved, or have an error that was reported
}

// visit resolves an objective after its components. path has the objectives that lead to it.
func (r *resolver) visit(name string, path []string) {
	o := &r.objectives[r.byName[name]]
	if o.Indicator.Type != slo.Composite || r.done[name] {
		return
	}
	if at := slices.Index(path, name); at >= 0 {
		r.done[name] = true
		r.errs.addf("%s::composite: is made of itself: %s; remove one of these components", r.places[name], strings.Join(append(path[at:], name), " → "))
		return
	}
	path = append(path, name)
	complete := true
	for i := range o.Indicator.Components {
		c := &o.Indicator.Components[i]
		at, ok := r.byName[c.Objective]
		if !ok {
			complete = false
			if _, defined := r.places[c.Objective]; !defined { // else it has errors of its own
				r.errs.addf("%s::composite[%d]::objective: there is no objective %q; correct the name, or define it", r.places[name], i, c.Objective)
			}
			continue
		}
		if r.objectives[at].Each.By != "" {
			complete = false
			r.errs.addf("%s::composite[%d]::objective: %q is one objective for each service, without a budget of its own; name one without for_each",
				r.places[name], i, c.Objective)
			continue
		}
		r.visit(c.Objective, path)
		in := r.objectives[at].Indicator
		c.Time, c.Scale = in.CountsTime(), in.ComponentScale()
	}
	if complete && !r.done[name] {
		r.errs.add(At(r.places[name], r.alike(o.Indicator.Components)))
		r.errs.add(At(r.places[name], o.Validate())) // again, now that its unit is known
	}
	r.done[name] = true
}

// alike returns an error if some of the components count events and others time.
func (r *resolver) alike(components []slo.Component) error {
	counts := func(c slo.Component) slo.Indicator { return r.objectives[r.byName[c.Objective]].Indicator }
	for i, c := range components {
		first, in := counts(components[0]), counts(c)
		if first.CountsTime() == in.CountsTime() {
			continue
		}
		events, time := components[0].Objective, c.Objective
		if first.CountsTime() {
			events, time = time, events
		}
		unit, _ := counts(slo.Component{Objective: time}).Unit()
		return fmt.Errorf("composite[%d]::objective: %s counts events and %s counts %s, which do not add up; "+
			"add slices to %s, or to an objective with the same indicator, so that both count time", i, events, time, unit, events)
	}
	return nil
}
