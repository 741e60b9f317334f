package tailsampling

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
)

// Trace IDs with equal last 7 bytes are reported, unless a span declares them random or other facts decided the trace.
func TestTraceIDsWithoutRandomness(t *testing.T) {
	for name, c := range map[string]struct {
		compat string
		dress  func(ptrace.Span)
		warns  bool
	}{
		"presumed":       {"", func(ptrace.Span) {}, true},
		"sampled":        {"", func(s ptrace.Span) { s.SetFlags(1) }, true},
		"random flag":    {"", func(s ptrace.Span) { s.SetFlags(3) }, false},
		"rv":             {"", func(s ptrace.Span) { s.TraceState().FromRaw("ot=rv:0123456789abcd") }, false},
		"th":             {"", func(s ptrace.Span) { s.TraceState().FromRaw("ot=th:0") }, false},
		"other vendor":   {"", func(s ptrace.Span) { s.TraceState().FromRaw("a=b") }, true},
		"compat contrib": {compatContrib, func(ptrace.Span) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				cfg.Compat, cfg.Policies = c.compat, []policy.Config{
					{Name: "half", Type: policy.Probabilistic, Section: &policy.ProbabilisticConfig{SamplingPercentage: 50}},
				}
				core, logs := observer.New(zap.WarnLevel)
				set := processortest.NewNopSettings(metadata.Type)
				set.Logger = zap.New(core)
				p, err := newSampler(set, cfg, &sink{}, nil)
				require.NoError(t, err)
				require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
				for n := range 200 {
					spans := withID(pcommon.TraceID{1, byte(n)}, newTrace(n, 2, false))
					c.dress(spans[1].span()) // the span that is delivered last
					require.NoError(t, wireDoor(t, p, request(spans...)))
				}
				time.Sleep(cfg.DecisionWait + time.Second)
				want := 0
				if c.warns {
					want = 1
				}
				require.Equal(t, want, logs.FilterMessageSnippet("trace IDs are not random").Len())
				shutdown(t, p)
			})
		})
	}
}
