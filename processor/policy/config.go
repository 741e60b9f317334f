package policy

import (
	"fmt"

	"github.com/slowburn/slowburn/processor/policy/internal/conditions"
	"github.com/slowburn/slowburn/processor/policy/internal/spanwise"
	"github.com/slowburn/slowburn/processor/policy/internal/whole"
)

// Config is one entry of tail_sampling::policies, or of a policy's sub-policies. Beside these keys it has one that is named
// as its type, the section, unless the type has none. Compile validates it.
type Config struct {
	// Name is written to kept spans and metrics. Policies must have one, and no two the same; sub-policies may.
	Name string `mapstructure:"name"`
	Type Type   `mapstructure:"type"`

	// Section is a pointer to the type's configuration, such as LatencyConfig. Where it is written in YAML Compile decodes it
	// from Rest.
	Section any `mapstructure:"-"`

	// Rest are the keys that are none of these: at first the section too. Any other is an error, which Compile tells.
	Rest map[string]any `mapstructure:",remain"`
}

// sub is a sub-policy and its place in the section.
type sub struct {
	place  string
	config *Config
}

func subsOf(key string, policies []Config) (subs []sub) {
	for i := range policies {
		subs = append(subs, sub{fmt.Sprintf("%s[%d]", key, i), &policies[i]})
	}
	return subs
}

// Type says what a policy looks at. The types that there are stand in table.
type Type string

// The types that are named in Go.
const (
	AlwaysSample    Type = "always_sample"
	And             Type = "and"
	Composite       Type = "composite"
	Drop            Type = "drop"
	Latency         Type = "latency"
	Orphans         Type = "orphans"
	OTTLCondition   Type = "ottl_condition"
	Probabilistic   Type = "probabilistic"
	SpanCount       Type = "span_count"
	StatusCode      Type = "status_code"
	StringAttribute Type = "string_attribute"
)

// Sections of types that are named in Go.
type (
	// LatencyConfig is that of latency.
	LatencyConfig = whole.LatencyConfig
	// OrphansConfig is that of orphans.
	OrphansConfig = whole.OrphansConfig
	// OTTLConditionConfig is that of ottl_condition.
	OTTLConditionConfig = conditions.Config
	// ProbabilisticConfig is that of probabilistic.
	ProbabilisticConfig = whole.ProbabilisticConfig
	// SpanCountConfig is that of span_count.
	SpanCountConfig = whole.SpanCountConfig
	// StatusCodeConfig is that of status_code.
	StatusCodeConfig = spanwise.StatusCodeConfig
	// StringAttributeConfig is that of string_attribute.
	StringAttributeConfig = spanwise.StringAttributeConfig
)
