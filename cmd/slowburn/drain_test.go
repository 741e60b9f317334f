package main

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The command polls until nothing is left, and prints each change.
func TestDrain(t *testing.T) {
	answers := []string{
		`{"draining":true,"reading":true,"destinations":[]}`,
		`{"draining":true,"undecided_traces":0,"undelivered_traces":3,"destinations":[{"destination":"otlp_grpc/backend","traces":3}]}`,
		`{"draining":true,"undecided_traces":0,"undelivered_traces":3,"destinations":[{"destination":"otlp_grpc/backend","traces":3}]}`,
		`{"draining":true,"done":true,"destinations":[]}`,
	}
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodPost, r.Method)
		if r.URL.Path == "/api/sampling/v1/drain/resume" {
			_, _ = w.Write([]byte(`{"draining":false,"destinations":[]}`))
			return
		}
		assert.Equal(t, "/api/sampling/v1/drain", r.URL.Path)
		_, _ = w.Write([]byte(answers[asked.Add(1)-1]))
	}))
	defer server.Close()
	out, err := slowburnSays(t, "drain", "--server", server.URL)
	require.NoError(t, err)
	assert.Equal(t, "The gateway reads back its files.\n0 traces undecided, 3 undelivered.\n"+
		"Nothing is left: the gateway can be stopped. `slowburn drain --resume` makes it take spans again.\n", out)
	assert.Equal(t, int64(4), asked.Load())

	out, err = slowburnSays(t, "drain", "--resume", "--server", server.URL)
	require.NoError(t, err)
	assert.Equal(t, "The gateway takes spans again.\n", out)
}

// A destination with a backlog is named, with its error.
func TestDrainTimeout(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"draining":true,"undelivered_traces":4,"destinations":[
			{"destination":"trace_store","state":"delivering"},
			{"destination":"otlp_grpc/backend","traces":3,"spans":30,"refused_traces":1,"state":"refuses_gateway",
			 "last_answer":{"class":"gateway","code":"401","text":"token expired"}}]}`))
	}))
	defer server.Close()
	_, err := slowburnSays(t, "drain", "--server", server.URL, "--timeout", "1ms")
	require.EqualError(t, err, "after 1ms some traces are not delivered; they stay in the gateway, which keeps trying and refuses new spans:\n"+
		"  otlp_grpc/backend: 3 traces of 30 spans wait (refuses gateway), 1 refused for good (slowburn retry); it answered 401 token expired")

	_, err = slowburnSays(t, "drain", "--server", "http://127.0.0.1:1")
	require.ErrorContains(t, err, "see --server")
}
