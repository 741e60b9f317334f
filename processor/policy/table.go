package policy

import (
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/spanwise"
	"github.com/slowburn/slowburn/processor/policy/internal/stateful"
	"github.com/slowburn/slowburn/processor/policy/internal/whole"
)

// To add a type of policy:
//
//  1. Write its section of the configuration, and the function that compiles it, in a file of internal/spanwise (answered
//     span by span), internal/whole (by the trace as a whole) or internal/stateful (by traces before it).
//  2. Add a line below: name, section, traits, and the traits that it refuses in its sub-policies.
//  3. Add a file to the package's testdata: spans in, decisions out.
//
// docs/reference/policies.md describes each type, for users.

// table lists the types of policies. If a type's traits depend on a policy's configuration, the table has all possible
// ones, and compiling removes those that this policy does not have: see rule.Node.
var table = []kind{
	// name, section and how it is compiled, traits, and the traits that it refuses in sub-policies
	{AlwaysSample, bare(whole.AlwaysSample), rule.Monotone, 0},
	{Latency, sectioned[whole.LatencyConfig](), rule.Monotone | rule.Bounded, 0},
	{SpanCount, sectioned[whole.SpanCountConfig](), rule.Monotone | rule.Bounded, 0},
	{Probabilistic, sectioned[whole.ProbabilisticConfig](), rule.Monotone | rule.Probabilistic | rule.ContribWeightless, 0},

	{"boolean_attribute", sectioned[spanwise.BooleanAttributeConfig](), rule.Monotone, 0},
	{"numeric_attribute", sectioned[spanwise.NumericAttributeConfig](), rule.Monotone, 0},
	{StringAttribute, sectioned[spanwise.StringAttributeConfig](), rule.Monotone, 0},
	{StatusCode, sectioned[spanwise.StatusCodeConfig](), rule.Monotone, 0},
	{"trace_flags", bare(spanwise.TraceFlags), rule.Monotone, 0},
	{"trace_state", sectioned[spanwise.TraceStateConfig](), rule.Monotone, 0},
	{OTTLCondition, compiledBy((*compiler).condition), rule.Monotone, 0},

	{"critical_path_ms", sectioned[whole.CriticalPathConfig](), rule.Links, 0},
	{"failure_mode", sectioned[whole.FailureModeConfig](), rule.Links, 0},
	{Orphans, sectioned[whole.OrphansConfig](), rule.Links, 0},
	{"retries", sectioned[whole.RetriesConfig](), rule.Links, 0},

	{"bytes_limiting", sectioned[stateful.BytesLimitingConfig](), rule.Counts | rule.ContribWeightless, 0},
	{"rate_limiting", sectioned[stateful.RateLimitingConfig](), rule.Counts | rule.ContribWeightless, 0},
	{"dynamic", sectioned[stateful.DynamicConfig](), rule.Counts | rule.HasKey | rule.Samples, 0},
	{"rare", sectioned[stateful.RareConfig](), rule.Counts | rule.HasKey | rule.Samples, 0},
	{"diversity", sectioned[stateful.DiversityConfig](), rule.Counts | rule.SeesKept | rule.Links | rule.Samples, 0},

	{And, group[AndConfig](), rule.Monotone, rule.TopLevel},
	{"not", group[NotConfig](), 0, rule.TopLevel},
	{Composite, group[CompositeConfig](), rule.Counts | rule.ContribWeightless | rule.TopLevel, rule.TopLevel},
	{Drop, group[DropConfig](), rule.Monotone | rule.TopLevel, rule.TopLevel | rule.Samples},
}

// Form describes how a policy of a type is written.
type Form struct {
	Type Type
	// Section points to a zero value of the type's section. It is nil for a type without one.
	Section any
	// Inner reports whether a policy of the type can be a sub-policy.
	Inner bool
}

// Forms returns the form of each type, in the order of the table.
func Forms() []Form {
	forms := make([]Form, len(table))
	for i := range table {
		k := &table[i]
		forms[i] = Form{Type: k.name, Inner: !k.traits.Has(rule.TopLevel)}
		if k.section != nil {
			forms[i].Section = k.section()
		}
	}
	return forms
}
