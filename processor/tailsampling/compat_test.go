package tailsampling

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/processor/policy"
)

// A composite policy's sub-policy is named. A trace that a limit kept has a threshold; with compat contrib, where a token
// bucket decides, it has none, and loses its own.
func TestCompat(t *testing.T) { withEitherStorage(t, testCompat) }

func testCompat(t *testing.T) {
	for compat, want := range map[string]string{"": "ot=th:8;rv:f0000000000000", compatContrib: "ot=rv:f0000000000000"} {
		t.Run("compat="+compat, func(t *testing.T) {
			cfg := testConfig()
			cfg.DecisionWait, cfg.Compat = time.Hour, compat
			cfg.Policies = []policy.Config{{Name: "mix", Type: policy.Composite, Section: &policy.CompositeConfig{
				MaxTotalSpansPerSecond: 100,
				SubPolicies: []policy.Config{
					{Name: "large", Type: policy.SpanCount, Section: &policy.SpanCountConfig{MinSpans: 5}},
					{Name: "rest", Type: policy.AlwaysSample},
				},
			}}}
			require.NoError(t, cfg.Validate())
			next := &sink{}
			p := start(t, cfg, next)
			spans := newTrace(1, 1, false)
			spans[0].span().TraceState().FromRaw("ot=th:8;rv:f0000000000000")
			require.NoError(t, wireDoor(t, p, request(spans...)))
			shutdown(t, p)
			got := next.traces()[traceID(1)]
			require.Len(t, got, 1)
			span := got[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
			require.Equal(t, want, span.TraceState().AsRaw())
			for key, name := range map[string]string{attr.Policy: "mix", attr.CompositePolicy: "rest"} {
				value, ok := span.Attributes().Get(key)
				require.True(t, ok, key)
				require.Equal(t, name, value.Str())
			}
		})
	}
}
