package policy

import (
	"testing"

	"github.com/slowburn/slowburn/processor/policy/internal/policytest"
	"github.com/slowburn/slowburn/processor/policy/internal/spanwise"
	"github.com/slowburn/slowburn/processor/policy/internal/stateful"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
	"github.com/slowburn/slowburn/processor/policy/internal/whole"
)

// Types and sections that only tests use in Go.
const (
	BooleanAttribute Type = "boolean_attribute"
	BytesLimiting    Type = "bytes_limiting"
	CriticalPathMs   Type = "critical_path_ms"
	Diversity        Type = "diversity"
	Dynamic          Type = "dynamic"
	FailureMode      Type = "failure_mode"
	Not              Type = "not"
	NumericAttribute Type = "numeric_attribute"
	Rare             Type = "rare"
	RateLimiting     Type = "rate_limiting"
	TraceFlags       Type = "trace_flags"
	TraceState       Type = "trace_state"
)

type (
	BooleanAttributeConfig = spanwise.BooleanAttributeConfig
	BytesLimitingConfig    = stateful.BytesLimitingConfig
	CriticalPathConfig     = whole.CriticalPathConfig
	DiversityConfig        = stateful.DiversityConfig
	DynamicConfig          = stateful.DynamicConfig
	FailureModeConfig      = whole.FailureModeConfig
	KeyConfig              = stateful.KeyConfig
	NumericAttributeConfig = spanwise.NumericAttributeConfig
	RareConfig             = stateful.RareConfig
	RateLimitingConfig     = stateful.RateLimitingConfig
	TraceStateConfig       = spanwise.TraceStateConfig

	testSpan = policytest.Span
)

const never = threshold.Never

// testBlock is a trace's block of state.
type testBlock struct{ Spans []testSpan }

func (b testBlock) views(tb testing.TB) []SpanView { return policytest.Views(tb, b.Spans...) }

func eachInTurn(set *Set, views []SpanView) []uint64 { return policytest.EachInTurn(set, views) }
