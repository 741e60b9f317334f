//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/web/api"
)

// The policies are reloaded many times while spans come, by SIGHUP and by requests. Each trace is decided by the version that was current
// when its first span came, and no span is lost. An invalid configuration changes nothing.
func TestReloadUnderLoad(t *testing.T) {
	config := filepath.Join(t.TempDir(), "policies.yaml")
	write := func(policies string) {
		text := "processors: {tail_sampling: {decision_wait: 2s, policies: [" + policies + "]}}"
		require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	}
	write("{name: v1, type: always_sample}")
	g := startGateway(t, nil, config)
	client := g.client(t)

	var background []ptrace.Traces
	ctx, cancel := context.WithCancel(t.Context())
	sent := make(chan error, 1)
	go func() {
		made, other := newTraffic(2), g.client(t)
		for ctx.Err() == nil {
			for _, td := range made.trace(boring, time.Now()) {
				if !deliver(t.Context(), other, td) {
					sent <- errors.New("spans were refused")
					return
				}
				background = append(background, td)
			}
		}
		sent <- nil
	}()
	defer cancel()

	made := newTraffic(1)
	var own []ptrace.Traces
	decidedBy := map[pcommon.TraceID]string{}
	for version := 2; version <= 20; version++ {
		var rest []ptrace.Traces
		for range 10 {
			parts := made.trace(boring, time.Now())
			send(t, client, parts[0])
			decidedBy[parts[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceID()] = fmt.Sprintf("v%d", version-1)
			own, rest = append(own, parts...), append(rest, parts[1:]...)
		}
		if version%5 == 0 {
			write("{name: v0, type: no_such_type}")
			g.reload(t, version%2 == 0, func(p api.Policies) bool { return p.LastError != nil })
			p := g.policies(t)
			require.Equal(t, version-1, p.Version, "an invalid configuration changes nothing")
			require.Equal(t, fmt.Sprintf("v%d", version-1), p.Policies[0].Name)
			require.Contains(t, p.LastError.Detail, "no_such_type")
		}
		write(fmt.Sprintf("{name: v%d, type: always_sample}", version))
		g.reload(t, version%2 == 0, func(p api.Policies) bool { return p.Version == version && p.LastError == nil })
		for _, td := range rest {
			send(t, client, td)
		}
	}
	cancel()
	require.NoError(t, <-sent)
	g.awaitSettled(t)

	received := g.backend.spans(t)
	policyOf := mark(t, received, "tailsampling.policy") // the same in all spans of a trace
	for id, want := range decidedBy {
		assert.Equal(t, want, policyOf[id], "trace %s", id)
	}
	got := content(t, received)
	for id, spans := range content(t, append(own, background...)...) {
		assert.Equal(t, spans, got[id], "trace %s did not arrive as it was sent", id)
	}
	g.checkExplain(t, decidedBy)
}

func (g *gateway) policies(t *testing.T) (p api.Policies) {
	g.get(t, "/api/sampling/v1/policies", &p)
	return p
}

// reload makes the gateway reload its policies, and waits until done.
func (g *gateway) reload(t *testing.T, bySignal bool, done func(api.Policies) bool) {
	t.Helper()
	if bySignal {
		require.NoError(t, g.cmd.Process.Signal(syscall.SIGHUP))
	} else {
		resp, err := http.Post("http://"+g.web+"/api/sampling/v1/policies/reload", "", nil)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Contains(t, []int{http.StatusOK, http.StatusUnprocessableEntity}, resp.StatusCode, "%s", body)
	}
	require.Eventually(t, func() bool { return done(g.policies(t)) }, patience, 10*time.Millisecond)
}

// checkExplain runs `slowburn explain` for some of the traces, and for an unknown one.
func (g *gateway) checkExplain(t *testing.T, decidedBy map[pcommon.TraceID]string) {
	t.Helper()
	explain := func(id string) (string, int) {
		cmd := exec.Command(builtGateway(t), "explain", id, "--server", "http://"+g.web)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			require.NoError(t, err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	asked := 0
	for id, policy := range decidedBy {
		out, code := explain(id.String())
		require.Zero(t, code, out)
		require.Contains(t, out, "sampled by the policy "+policy)
		require.Contains(t, out, "version "+policy[1:])
		if asked++; asked == 5 {
			break
		}
	}
	out, code := explain("ffffffffffffffffffffffffffffffff")
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "it never came here")
}
