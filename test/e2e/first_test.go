//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/web/api"
)

// browseFirst runs browser/first.mjs, which checks the pages.
func (g *gateway) browseFirst(t *testing.T, args ...string) {
	t.Helper()
	artifacts, err := filepath.Abs("artifacts")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(artifacts, 0o750))
	browse := exec.CommandContext(t.Context(), "node", append([]string{"first.mjs", "http://" + g.web, artifacts}, args...)...)
	browse.Dir = "browser"
	out, err := browse.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
}

// Checks the empty pages of a gateway that has just started, with the shipped policies: before the first span, and after ordinary
// traces that are not kept.
func TestFirstContactPages(t *testing.T) {
	t.Parallel()
	g := newGateway(t, builtGateway(t), []string{"SLOWBURN_BACKEND=" + freePort(t)},
		"yaml:extensions::slo::objectives: [{name: availability, target: 99.9, window: 30d, availability: {kind: server}}, "+
			"{name: absent, target: 99.9, window: 30d, availability: {service: absent}}]")
	g.start(t)
	g.browseFirst(t, "nothing")

	made, client := newTraffic(94), g.client(t)
	const traces = 20
	for range traces {
		for _, td := range made.trace(boring, time.Now()) {
			send(t, client, td)
		}
	}
	var status api.SamplingStatus
	require.Eventually(t, func() bool {
		g.get(t, "/api/sampling/v1/status", &status)
		return status.Decided.Sampled+status.Decided.NotSampled == traces
	}, patience, 100*time.Millisecond)
	require.Zero(t, status.Decided.Sampled, "the 1 % sample keeps none of this traffic, whose IDs are always the same")
	g.browseFirst(t, "unkept")
}

// In a real browser, pages of an origin that is listed under cors can send spans, and other pages cannot.
func TestBrowserSendsSpans(t *testing.T) {
	t.Parallel()
	g := newGateway(t, builtGateway(t), []string{"SLOWBURN_BACKEND=" + freePort(t)},
		`yaml:receivers::otlp::protocols::http::cors: {allowed_origins: ["http://localhost:*"]}`)
	g.start(t)
	g.browseFirst(t, "cors", "http://"+g.http+"/v1/traces")
	var status api.SamplingStatus
	g.get(t, "/api/sampling/v1/status", &status)
	require.EqualValues(t, 1, status.TracesPending+status.Decided.Sampled+status.Decided.NotSampled, "the gateway has the trace of the allowed origin only")
}
