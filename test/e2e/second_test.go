//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A second gateway with a directory of a running one ends at once, with exit code 1 and a message with the reason. The first one is not
// affected.
func TestSecondProcess(t *testing.T) {
	spans := t.TempDir()
	configs := []string{"testdata/sampling.yaml", "testdata/spans-dir.yaml"}
	g := startGateway(t, []string{"E2E_SPANS_DIR=" + spans}, configs...)
	pid := fmt.Sprintf("is in use by another process (pid %d)", g.cmd.Process.Pid)
	for name, second := range map[string]struct {
		env  []string
		want []string
	}{
		"the span log's directory": {
			env:  []string{"SLOWBURN_DATA_DIR=" + t.TempDir()},
			want: []string{spans, pid, "stop that, or give this one another directory"},
		},
		"the data directory": {want: []string{
			"SLOWBURN_DATA_DIR: ", fmt.Sprintf("is in use by another process (pid %d on host ", g.cmd.Process.Pid), "stop that one, or set SLOWBURN_DATA_DIR",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			cmd := exec.CommandContext(ctx, builtGateway(t), g.configs...)
			ports := []string{"E2E_GRPC=" + freePort(t), "E2E_HTTP=" + freePort(t), "E2E_WEB=" + freePort(t)}
			cmd.Env = append(append(append(os.Environ(), g.env...), ports...), second.env...)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.True(t, errors.As(err, &exit), "%v", err)
			assert.Equal(t, 1, exit.ExitCode(), "%s", out)
			for _, want := range second.want {
				assert.Contains(t, string(out), want)
			}
		})
	}

	trace := newTraffic(31).trace(failing, time.Now())
	client := g.client(t)
	for _, td := range trace {
		send(t, client, td)
	}
	g.awaitSettled(t)
	assert.Equal(t, spansPerTrace, g.backend.spans(t).SpanCount(), "the first gateway still delivers")
	assert.Equal(t, 200, g.readyz(t).status)
}
