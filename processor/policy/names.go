package policy

import (
	"github.com/slowburn/slowburn/processor/policy/internal/conditions"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/spanwise"
	"github.com/slowburn/slowburn/processor/policy/internal/whole"
)

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

type (
	// SpanView is a span where its bytes are.
	SpanView = rule.SpanView
	// Trace is what a decision is made from.
	Trace = rule.Trace
)
