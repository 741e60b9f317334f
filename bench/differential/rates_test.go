package differential

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Which traces a limit lets pass depends on the order in which they are decided, and contrib decides what is due in the
// same second in no order at all. So the traces are of one size, and how many pass is compared.
const spansPerTrace = 5

// limits are policies that limit a rate, under a load of 200 spans per second.
func limits() map[string]policy {
	errors := with(leaf("status_code", map[string]any{"status_codes": []any{"ERROR"}}), policy{"name": "errors"})
	rest := with(leaf("always_sample", nil), policy{"name": "rest"})
	composite := func(order ...any) policy {
		return leaf("composite", map[string]any{
			"max_total_spans_per_second": 100, "policy_order": order, "composite_sub_policy": []any{errors, rest},
			"rate_allocation": []any{
				map[string]any{"policy": "errors", "percent": 20}, map[string]any{"policy": "rest", "percent": 80},
			},
		})
	}
	return map[string]policy{
		"rate_limiting":            leaf("rate_limiting", map[string]any{"spans_per_second": 50}),
		"rate_limiting, burst":     leaf("rate_limiting", map[string]any{"spans_per_second": 30, "burst_capacity": 45}),
		"rate_limiting, never met": leaf("rate_limiting", map[string]any{"spans_per_second": 1000}),
		"composite":                composite("errors", "rest"),
		"and with a limit": leaf("and", map[string]any{"and_sub_policy": []any{
			errors, with(leaf("rate_limiting", map[string]any{"spans_per_second": 20}), policy{"name": "some"}),
		}}),
	}
}

func TestLimits(t *testing.T) {
	arrivals := steady(rand.New(rand.NewPCG(7, 7)), 30*time.Second, 40)
	for name, p := range limits() {
		t.Run(name, func(t *testing.T) {
			cfg := settings{"policies": named(p)}
			theirs := throughContrib(t, cfg, arrivals)
			require.NotEmpty(t, theirs)
			require.Len(t, throughSlowburn(t, with(cfg, settings{"compat": "contrib"}), arrivals), len(theirs))
			// Without compat it is chance which ones pass, so that they can be weighted, and the rate is kept over time.
			ours := throughSlowburn(t, cfg, arrivals)
			assert.InEpsilon(t, len(theirs), len(ours), 0.15)
		})
	}
}

// Of what is measured in bytes contrib counts a trace's resources too, for each request that had some of it, and slowburn
// its spans. Both keep to the limit by their own measure.
func TestBytesLimiting(t *testing.T) {
	const seconds, limit = 30, 2000
	arrivals := steady(rand.New(rand.NewPCG(9, 9)), seconds*time.Second, 40)
	var m ptrace.ProtoMarshaler
	td := arrivals[0].data
	whole := m.ResourceSpansSize(td.ResourceSpans().At(0))
	spans := 0
	for _, span := range spansOf(td) {
		spans += m.SpanSize(span)
	}
	cfg := settings{"policies": named(leaf("bytes_limiting", map[string]any{"bytes_per_second": limit}))}
	burst := 2 * limit
	assert.InEpsilon(t, seconds*limit+burst, len(throughContrib(t, cfg, arrivals))*whole, 0.1)
	assert.InEpsilon(t, seconds*limit+burst, len(throughSlowburn(t, with(cfg, settings{"compat": "contrib"}), arrivals))*spans, 0.1)
	assert.InEpsilon(t, seconds*limit, len(throughSlowburn(t, cfg, arrivals))*spans, 0.15)
}

// contrib evaluates a composite policy's parts in the order in which they are written, whatever policy_order says.
func TestPolicyOrder(t *testing.T) {
	arrivals := steady(rand.New(rand.NewPCG(8, 8)), 10*time.Second, 40)
	written := with(limits()["composite"], policy{})
	first := settings{"policies": named(written)}
	section := with(written["composite"].(map[string]any), map[string]any{"policy_order": []any{"rest", "errors"}})
	reversed := settings{"policies": named(leaf("composite", section))}
	errorsOf := func(k kept) (n int) {
		for _, a := range arrivals {
			for _, span := range spansOf(a.data)[:1] {
				if span.Status().Code() == ptrace.StatusCodeError && k[span.TraceID()] > 0 {
					n++
				}
			}
		}
		return n
	}
	theirs := errorsOf(throughContrib(t, first, arrivals))
	require.Equal(t, theirs, errorsOf(throughContrib(t, reversed, arrivals)), "it makes no difference there")
	require.Equal(t, theirs, errorsOf(throughSlowburn(t, with(reversed, settings{"compat": "contrib"}), arrivals)))
	assert.Greater(t, errorsOf(throughSlowburn(t, reversed, arrivals)), errorsOf(throughSlowburn(t, first, arrivals)),
		"with rest first, errors has its whole share for the errors that rest leaves")
}

// steady is so many traces per second, at the half second, a fifth of them with errors.
func steady(rnd *rand.Rand, long time.Duration, perSecond int) (all []arrival) {
	for at := 500 * time.Millisecond; at < long; at += time.Second {
		for i := range perSecond {
			td := ptrace.NewTraces()
			ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
			id := pcommon.TraceID(randomBytes(rnd))
			for j := range spansPerTrace {
				span := ss.Spans().AppendEmpty()
				span.SetTraceID(id)
				span.SetSpanID([8]byte{byte(j + 1)})
				span.SetName("GET /cart")
				span.SetStartTimestamp(epoch)
				span.SetEndTimestamp(epoch + 1e6)
				if i%5 == 0 {
					span.Status().SetCode(ptrace.StatusCodeError)
				}
			}
			all = append(all, arrival{at: at, data: td})
		}
	}
	return all
}
