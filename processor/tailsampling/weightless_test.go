package tailsampling

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/policy"
)

// A trace that was chosen by something other than its randomness leaves without a threshold, and so do its late spans, even after
// a restart; a threshold that it came with is erased.
func TestWeightlessTraces(t *testing.T) {
	cfg := keepAll(testConfig())
	cfg.Compat = compatContrib // whose limits have no threshold
	cfg.Policies = []policy.Config{{Name: "limit", Type: "rate_limiting",
		Rest: map[string]any{"rate_limiting": map[string]any{"spans_per_second": 1000}}}}
	cfg.Storage, cfg.DecisionWait, cfg.ShutdownTimeout = storageDisk, time.Hour, 10*time.Millisecond
	p := start(t, cfg, &sink{accept: func(context.Context, int, ptrace.Traces) error { return errors.New("down") }})
	spans := newTrace(1, 3, false)
	for _, s := range spans {
		s.span().TraceState().FromRaw("ot=th:8;rv:f0000000000000,vendor=a")
	}
	require.NoError(t, wireDoor(t, p, request(spans[:2]...)))
	decideNow(p)
	require.NoError(t, p.Shutdown(t.Context()))

	next := &sink{}
	p = start(t, cfg, next)
	require.NoError(t, wireDoor(t, p, request(spans[2])))
	require.Eventually(t, func() bool { return next.spans() == 3 }, time.Minute, time.Millisecond)
	got := next.traces()[traceID(1)]
	require.Len(t, got, 2)
	for _, part := range got {
		for _, rs := range part.ResourceSpans().All() {
			require.Equal(t, "ot=rv:f0000000000000,vendor=a", rs.ScopeSpans().At(0).Spans().At(0).TraceState().AsRaw())
		}
	}
	require.Zero(t, p.output.WithoutThreshold.Load(), "which is for thresholds that should have been written")
	shutdown(t, p)
}
