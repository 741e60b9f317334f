package tally

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// newVersion has the policies all, errors and drop, with numbers 1 to 3.
func newVersion(t *testing.T, number int) *version.Version {
	t.Helper()
	set, err := policy.Compile([]policy.Config{
		{Name: "all", Type: policy.AlwaysSample},
		{Name: "errors", Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"ERROR"}}},
		{Name: "drop", Type: policy.Drop, Section: &policy.DropConfig{SubPolicies: []policy.Config{
			{Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"OK"}}},
		}}},
	}, policy.Options{})
	require.NoError(t, err)
	v, err := version.New(number, set, set, version.NewNames())
	require.NoError(t, err)
	return v
}

// decided is a policy's decision on a trace with n spans of 10 bytes each.
func decided(v *version.Version, spans uint32, verdict policy.Verdict, number int32, votes ...policy.Vote) *decision.Decided {
	return &decision.Decided{
		ID: wire.TraceID{1, 15: 100}, Random: tracestate.None, Verdict: verdict, Policy: number, Version: v, Votes: votes,
		Seen: decision.Seen{Spans: spans, Bytes: 10 * uint64(spans)},
	}
}

var (
	no  = policy.Vote{}
	yes = policy.Vote{Matched: true}
	// perhaps is a vote that samples a trace of randomness 100, and unlikely one that just does not.
	perhaps  = policy.Vote{Matched: true, Threshold: 100}
	unlikely = policy.Vote{Matched: true, Threshold: 101}
)

func amount(traces, spans int64) Amount {
	return Amount{Traces: traces, Spans: spans, Bytes: 10 * spans}
}
