package spec

import (
	"maps"
	"slices"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/match"
)

// Selector selects the spans that are events, and says which of them are bad and which are excluded. Package match reads the values: a
// text, perhaps with an operator, or a list of such.
type Selector struct {
	Service    any            `mapstructure:"service"`
	Kind       any            `mapstructure:"kind"`
	Operations any            `mapstructure:"operations"`
	Version    any            `mapstructure:"version"`
	Attributes map[string]any `mapstructure:"attributes"`
	Bad        any            `mapstructure:"bad"`
	Exclude    any            `mapstructure:"exclude"`
}

// apply reads the conditions into an indicator, whose type is the key that they are under.
func (s Selector) apply(in *slo.Indicator, errs *errorList) {
	key := string(in.Type) + "::"
	var where match.Condition
	if t := read(key+"service", s.Service, match.ParseName, errs); t != nil {
		if in.Spans.Service = single(*t); in.Spans.Service == "" {
			where.Service = t
		}
	}
	if t := read(key+"kind", s.Kind, match.ParseKind, errs); t != nil {
		if kind := single(*t); slices.Contains(slo.Kinds, kind) {
			in.Spans.Kind = kind
		} else {
			where.Kind = t
		}
	}
	if t := read(key+"operations", s.Operations, match.ParseText, errs); t != nil {
		if t.IsPlain() {
			in.Spans.Operations = t.In
		} else {
			where.Operation = t
		}
	}
	where.Version = read(key+"version", s.Version, match.ParseName, errs)
	s.attributes(key+"attributes", in, &where, errs)
	if where.Service != nil || where.Kind != nil || where.Operation != nil || where.Version != nil || len(where.Attributes) > 0 {
		in.Spans.Where = &where
	}
	if s.Bad != nil {
		bad, err := match.ParseList(key+"bad", s.Bad)
		errs.add(err)
		if in.Type == slo.Latency || !slices.EqualFunc(bad, match.Failed(), sameCondition) {
			in.Bad = bad
		}
	}
	if list, ok := s.Exclude.([]any); s.Exclude != nil && (!ok || len(list) > 0) {
		exclude, err := match.ParseList(key+"exclude", s.Exclude)
		errs.add(err)
		in.Exclude = exclude
		if err == nil && in.Type == slo.Availability && nothingLeft(in) {
			errs.addf("%sexclude: has all conditions of bad, so no event can be bad; remove one that bad has, or name others in bad", key)
		}
	}
}

// nothingLeft reports whether all that is bad is excluded.
func nothingLeft(in *slo.Indicator) bool {
	bad := in.Bad
	if bad == nil {
		bad = match.Failed()
	}
	return !slices.ContainsFunc(bad, func(c match.Condition) bool {
		return !slices.ContainsFunc(in.Exclude, func(e match.Condition) bool { return sameCondition(c, e) })
	})
}

func sameCondition(a, b match.Condition) bool { return a.Key() == b.Key() }

// read reads a condition, nil without one: a text that is empty, as an unset variable is, is none.
func read(key string, value any, parse func(string, any) (match.Text, error), errs *errorList) *match.Text {
	if value == nil || value == "" {
		return nil
	}
	t, err := parse(key, value)
	errs.add(err)
	if err != nil {
		return nil
	}
	return &t
}

// single returns the only text that meets a condition, empty if there may be others.
func single(t match.Text) string {
	if t.IsPlain() && len(t.In) == 1 {
		return t.In[0]
	}
	return ""
}

// attributes divides the conditions over attributes into those that the selector has a field for and the others.
func (s Selector) attributes(key string, in *slo.Indicator, where *match.Condition, errs *errorList) {
	for _, name := range slices.Sorted(maps.Keys(s.Attributes)) {
		if name == "" {
			errs.addf("%s: an attribute has no name; write one, as in {http.route: /orders}", key)
			continue
		}
		t, err := match.ParseText(key+"::"+name, s.Attributes[name])
		switch {
		case err != nil:
			errs.add(err)
		case t.IsPlain() && len(t.In) == 1:
			if in.Spans.Attributes == nil {
				in.Spans.Attributes = map[string]string{}
			}
			in.Spans.Attributes[name] = t.In[0]
		default:
			if where.Attributes == nil {
				where.Attributes = map[string]match.Text{}
			}
			where.Attributes[name] = t
		}
	}
}
