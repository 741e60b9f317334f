package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tailsampling"
)

const traceID = "0af7651916cd43dd8448eb211c80319c"

// explain runs the command against a server with this answer.
func explain(t *testing.T, status int, body any, args ...string) (string, error) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/base/api/sampling/v1/decisions/"+traceID || r.Header.Get("Authorization") != "Bearer secret" {
			status = http.StatusTeapot
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}))
	defer server.Close()
	var out bytes.Buffer
	cmd := newExplain()
	cmd.SetOut(&out)
	cmd.SetErr(&bytes.Buffer{})
	cmd.SetArgs(append([]string{traceID, "--server", server.URL + "/base/", "--header", "Authorization: Bearer secret"}, args...))
	err := cmd.Execute()
	return out.String(), err
}

func TestExplain(t *testing.T) {
	came := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	decided := came.Add(10 * time.Second)
	e := api.Decision{
		TraceID: traceID, State: tailsampling.StateDecided, Verdict: "sampled", Policy: "limit", CompositePolicy: "errors", PolicyVersion: 3,
		FirstSpanAt: &came, DecidedAt: &decided, Trigger: "memory", Reason: "memory_budget was used up", Early: true,
		Completeness: &api.Completeness{RootSeen: true, Spans: 3, Bytes: 900, LateSpans: 2, DurationSeconds: 0.25},
		Weight:       api.Weight{Threshold: "80000000000000", Randomness: "f123456789abcd", AdjustedCount: 2},
		Votes: []api.PolicyVote{
			{Name: "limit", Type: "composite", Matched: true, Acted: true},
			{Name: "slow", Type: "latency"},
			{Name: "rest", Type: "probabilistic", Matched: true},
			{Name: "noise", Type: "drop", Matched: true},
		},
		Shadow: &api.ShadowVerdict{Verdict: "not_sampled"},
	}
	out, err := explain(t, http.StatusOK, e)
	require.NoError(t, err)
	require.Equal(t, `trace 0af7651916cd43dd8448eb211c80319c  sampled by the policy limit, sub-policy errors
decided                                 2026-01-31T12:00:10Z, 10s after its first span came: memory_budget was used up (early)
seen                                    3 spans of 900 bytes over 250ms, with root, without errors; 2 came late
randomness                              f123456789abcd
threshold                               80000000000000: it stands for 2 traces
policies                                version 3
  limit                                 composite: samples it
  slow                                  latency: does not match
  rest                                  probabilistic: matches, but does not sample it: its randomness is below the threshold
  noise                                 drop: matches, but drops only a share: its randomness is not in it
shadow                                  not sampled
`, out)

	e.Threshold, e.Votes, e.Shadow = "", nil, nil
	out, err = explain(t, http.StatusOK, e)
	require.NoError(t, err)
	require.Contains(t, out, "the trace was not sampled by chance")

	e.Verdict, e.Policy, e.CompositePolicy = "dropped", "health", ""
	e.Votes = []api.PolicyVote{
		{Name: "batch", Type: "drop"}, {Name: "errors", Type: "status_code"},
		{Name: "health", Type: "drop", Matched: true, Acted: true}, {Name: "noise", Type: "drop"},
	}
	out, err = explain(t, http.StatusOK, e)
	require.NoError(t, err)
	require.Contains(t, out, `
  batch                                 drop: does not match
  errors                                status_code: not asked, as it was dropped
  health                                drop: drops it
  noise                                 drop: not asked, as it was dropped
`)
}

func TestExplainUnknownTrace(t *testing.T) {
	_, err := explain(t, http.StatusNotFound, map[string]string{"detail": "The trace is not decided yet."})
	require.EqualError(t, err, "The trace is not decided yet.")
	var exit exitError
	require.True(t, errors.As(err, &exit))
	require.Equal(t, exitUnknown, exit.code)

	for want, answer := range map[string]struct {
		status int
		body   any
		args   []string
	}{
		"is no trace ID":        {http.StatusBadRequest, map[string]string{"detail": `"x" is no trace ID`}, nil},
		"418 I'm a teapot":      {http.StatusTeapot, "short and stout", nil},
		"is not a gateway's":    {http.StatusOK, map[string]string{"hello": "world"}, nil},
		"it must be like":       {http.StatusOK, nil, []string{"--header", "secret"}},
		"does not answer (see ": {http.StatusOK, nil, []string{"--server", "http://127.0.0.1:1"}},
		"accepts 1 arg":         {http.StatusOK, nil, []string{"another"}},
	} {
		_, err := explain(t, answer.status, answer.body, answer.args...)
		require.ErrorContains(t, err, want)
		require.False(t, errors.As(err, &exit), want)
	}
}
