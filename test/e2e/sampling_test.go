//go:build e2e

package e2e

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/sampling"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// The backend receives exactly the traces that the policies keep, each whole, over each protocol of the receiver, and although the
// backend was down for a while.
func TestKeptTracesReachTheBackendWhole(t *testing.T) {
	g := startGateway(t, nil, "testdata/sampling.yaml")
	client := g.client(t)
	made := newTraffic(1)
	baseline, err := sampling.ProbabilityToThreshold(0.10)
	require.NoError(t, err)

	var sent []ptrace.Traces
	expected := map[pcommon.TraceID]string{}
	for i := range 400 {
		kind := []flavour{boring, boring, boring, failing, slow}[i%5]
		parts := made.trace(kind, time.Now())
		id := parts[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceID()
		switch {
		case kind == failing:
			expected[id] = "errors"
		case kind == slow:
			expected[id] = "slow"
		case baseline.ShouldSample(sampling.TraceIDToRandomness(id)):
			expected[id] = "rest"
		}
		sent = append(sent, parts...)
	}
	rand.New(rand.NewPCG(2, 2)).Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
	whole := content(t, sent...)

	g.backend.fail(t, true)
	for i, td := range sent {
		if i == len(sent)/2 {
			g.backend.fail(t, false)
		}
		if i%2 == 0 {
			g.sendJSON(t, td)
		} else {
			send(t, client, td)
		}
	}
	g.awaitSettled(t)

	received := g.backend.spans(t)
	assert.Equal(t, expected, mark(t, received, "tailsampling.policy"))
	for id, spans := range content(t, received) {
		assert.Equal(t, whole[id], spans, "trace %s did not arrive as it was sent", id)
	}
	checkThresholds(t, received, baseline)
}

// checkThresholds checks that every kept span has the threshold of its policy, which its randomness reaches.
func checkThresholds(t *testing.T, td ptrace.Traces, baseline sampling.Threshold) {
	t.Helper()
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				state, err := sampling.NewW3CTraceState(span.TraceState().AsRaw())
				require.NoError(t, err)
				th, ok := state.OTelValue().TValueThreshold()
				require.True(t, ok, "span %s has no ot=th: %q", span.SpanID(), span.TraceState().AsRaw())
				assert.True(t, th.ShouldSample(sampling.TraceIDToRandomness(span.TraceID())))
				policy, _ := ss.Scope().Attributes().Get("tailsampling.policy")
				if policy.Str() == "rest" {
					assert.Equal(t, baseline.TValue(), th.TValue())
				} else {
					assert.Equal(t, sampling.AlwaysSampleThreshold, th)
				}
			}
		}
	}
}
