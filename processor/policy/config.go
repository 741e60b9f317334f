package policy

import (
	"fmt"

	"github.com/slowburn/slowburn/processor/policy/internal/conditions"
	"github.com/slowburn/slowburn/processor/policy/internal/spanwise"
	"github.com/slowburn/slowburn/processor/policy/internal/whole"
)

// Config is one entry of tail_sampling::policies, or of a policy's sub-policies. Besides these keys it has a section, a key
// named like its type, unless the type has none. Compile validates it.
type Config struct {
	// Name is written to kept spans and metrics. A policy must have a unique name; a sub-policy may have one.
	Name string `mapstructure:"name"`
	Type Type   `mapstructure:"type"`

	// Section points to the type's configuration, such as LatencyConfig. For a policy in YAML Compile decodes it from Rest.
	Section any `mapstructure:"-"`

	// Rest holds all other keys, at first including the section. Any other key is an error of Compile.
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

// Type is what a policy looks at. The table lists all types.
type Type string

// The types that Go code names.
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

// Sections of types that Go code names.
type (
	// LatencyConfig is the section of latency.
	LatencyConfig = whole.LatencyConfig
	// OrphansConfig is the section of orphans.
	OrphansConfig = whole.OrphansConfig
	// OTTLConditionConfig is the section of ottl_condition.
	OTTLConditionConfig = conditions.Config
	// ProbabilisticConfig is the section of probabilistic.
	ProbabilisticConfig = whole.ProbabilisticConfig
	// SpanCountConfig is the section of span_count.
	SpanCountConfig = whole.SpanCountConfig
	// StatusCodeConfig is the section of status_code.
	StatusCodeConfig = spanwise.StatusCodeConfig
	// StringAttributeConfig is the section of string_attribute.
	StringAttributeConfig = spanwise.StringAttributeConfig
)
