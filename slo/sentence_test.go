package slo_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/match"
)

func TestSentence(t *testing.T) {
	exclude, err := match.ParseList("exclude", []any{map[string]any{"operations": "GET /healthz"}})
	require.NoError(t, err)
	for want, in := range map[string]slo.Indicator{
		"": {Type: slo.PromQL},
		"A span is bad if it failed: its status is error, its HTTP status is 5xx, or its RPC status is an error of the server.": {Type: slo.Availability},
		"An internal span is bad if it takes longer than 300ms.": {
			Type: slo.Latency, Threshold: 300 * time.Millisecond, Spans: slo.SpanSelector{Kind: "internal"}},
		"A server span of checkout where its operation is a or b and its version is not 1.9.0 and http.route is /x, " +
			"is bad if it takes longer than 1.5s; or its status is error. It does not count if its operation is GET /healthz.": {
			Type: slo.Latency, Threshold: 1500 * time.Millisecond, Exclude: exclude,
			Bad: []match.Condition{{Status: &match.Text{In: []string{"error"}}}},
			Spans: slo.SpanSelector{Service: "checkout", Kind: "server", Operations: []string{"b", "a"}, Attributes: map[string]string{"http.route": "/x"},
				Where: &match.Condition{Version: &match.Text{NotIn: []string{"1.9.0"}}}}},
	} {
		assert.Equal(t, want, in.Sentence())
	}
}
