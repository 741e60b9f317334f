package attr_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/internal/attr"
)

// TestNames checks the names, which users' queries and other backends depend on.
func TestNames(t *testing.T) {
	assert.Equal(t, []string{
		"tailsampling.policy", "tailsampling.composite_policy", "tailsampling.cached_decision", "tailsampling.linked",
		"tailsampling.revived", "tailsampling.trimmed_spans", "slowburn.text.repaired", "slowburn.span.trimmed",
		"slowburn.span.flags", "slowburn.clock.offset_ns", "slowburn.clock.uncertainty_ns", "slowburn.clock.status",
	}, []string{
		attr.Policy, attr.CompositePolicy, attr.CachedDecision, attr.Linked,
		attr.Revived, attr.TrimmedSpans, attr.TextRepaired, attr.SpanTrimmed,
		attr.SpanFlags, attr.ClockOffset, attr.ClockUncertainty, attr.ClockStatus,
	})
}
