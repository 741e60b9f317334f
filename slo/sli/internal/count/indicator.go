package count

import (
	"maps"
	"math"
	"slices"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/match"
	"github.com/slowburn/slowburn/slo/sli/internal/exemplar"
	"github.com/slowburn/slowburn/slo/sli/internal/judge"
)

// indicator is an objective whose events are spans, compiled for matching. Only its quota changes.
type indicator struct {
	// These come first, as every span of an operation needs them: they fill one line of the processor's cache.

	// kinds has a bit for each of OTLP's numbers.
	kinds uint8
	// latency says that an event is bad also when it took longer than threshold nanoseconds.
	latency   bool
	threshold uint64
	// conditions are numbers of the rules. All must be met.
	conditions []int
	// bad and exclude are lists of the rules. Exclusions that are over names alone are in excluded, and for Other in excludeUnnamed.
	bad, exclude int

	objective string
	// service and operation are conditions over names, which are answered once per name. Other stands for many names: there they are
	// answered for each span, as unnamed.
	service, operation naming
	unnamed            []int
	excludeUnnamed     int
	excluded           []exclusion
	// quota bounds the events that become exemplars.
	quota exemplar.Quota
}

// exclusion excludes the spans of some services and operations.
type exclusion struct{ service, operation naming }

// naming is a condition over a name. The zero value is met by all.
type naming struct {
	text    match.Text
	matcher *match.Matcher
}

func namingOf(t *match.Text) naming {
	if t == nil || t.IsZero() {
		return naming{}
	}
	return naming{*t, t.Compile()}
}

// meets reports whether a name meets the condition. Other may stand for one that does unless all that do are listed: those have
// a place of their own.
func (n naming) meets(name string) bool {
	if n.matcher == nil || name == Other && !n.text.IsPlain() {
		return true
	}
	return n.matcher.MatchString(name)
}

// names yields the names that the condition lists, which are never counted under Other.
func (n naming) names(yield func(string) bool) {
	for _, list := range [][]string{n.text.In, n.text.NotIn} {
		for _, name := range list {
			if !yield(name) {
				return
			}
		}
	}
}

// compile turns the objectives into indicators, whose conditions it adds to the rules. Objectives that count no spans are left
// out. Where only traffic matters no span is bad, however long it takes.
func compile(objectives []slo.Objective, rules *judge.Rules) (indicators []*indicator) {
	for _, o := range objectives {
		if !o.Indicator.CountsSpans() {
			continue
		}
		sel := o.Indicator.Spans.Condition()
		in := &indicator{
			objective: o.Name,
			service:   namingOf(sel.Service),
			operation: namingOf(sel.Operation),
			kinds:     match.Every(match.Kinds, sel.Kind),
			latency:   o.Indicator.Type == slo.Latency,
			threshold: uint64(max(o.Indicator.Threshold, 0)),
		}
		if o.Indicator.WantsTraffic() {
			in.latency, in.threshold = true, math.MaxUint64
		}
		if in.service.matcher != nil {
			in.unnamed = append(in.unnamed, rules.Service(*sel.Service))
		}
		if in.operation.matcher != nil {
			in.unnamed = append(in.unnamed, rules.Operation(*sel.Operation))
		}
		if sel.Version != nil {
			in.conditions = append(in.conditions, rules.Version(*sel.Version))
		}
		for _, key := range slices.Sorted(maps.Keys(sel.Attributes)) {
			in.conditions = append(in.conditions, rules.Attribute(key, sel.Attributes[key]))
		}
		bad := o.Indicator.Bad
		if bad == nil && !in.latency {
			bad = match.Failed()
		}
		in.bad = rules.List(bad)
		in.excludes(o.Indicator.Exclude, rules)
		indicators = append(indicators, in)
	}
	return indicators
}

// excludes compiles the exclusions.
func (in *indicator) excludes(conditions []match.Condition, rules *judge.Rules) {
	var others []match.Condition
	for _, c := range conditions {
		named := match.Condition{Service: c.Service, Operation: c.Operation}
		if named.Key() == c.Key() {
			in.excluded = append(in.excluded, exclusion{namingOf(c.Service), namingOf(c.Operation)})
		} else {
			others = append(others, c)
		}
	}
	in.exclude, in.excludeUnnamed = rules.List(others), rules.List(conditions)
}

// selects reports whether spans of the operation can be events. Kind, attributes and version, which are not known of an operation, are
// checked for each span.
func (in *indicator) selects(service, operation string) bool {
	if !in.operation.meets(operation) {
		return false
	}
	if service == Other || operation == Other {
		return true
	}
	return !slices.ContainsFunc(in.excluded, func(e exclusion) bool { return e.service.meets(service) && e.operation.meets(operation) })
}

// defaultReason is why an event is bad where nothing more is known.
func (in *indicator) defaultReason() string {
	if in.latency {
		return reasonLatency
	}
	return reasonError
}
