//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/web/api"
)

const diskSize = 96 << 20

// While the backend is down kept traces wait in the span log, across a restart of the gateway, and are delivered when it
// is up again. Spans are always accepted.
func TestBackendDown(t *testing.T) {
	t.Parallel()
	away := lasting(16*time.Second, time.Minute)
	g := startGateway(t, nil, "testdata/sampling.yaml")
	g.backend.fail(t, true)
	load := startLoad(t, g, 2, 200)
	time.Sleep(away / 2) // the backend is down for this time
	g.stop(t)
	g.start(t)
	time.Sleep(away / 2)
	load.stop()
	g.backend.fail(t, false)
	g.awaitSettled(t)
	report := load.compare(t, g.backend.spans(t))
	t.Logf("backend away for %s: %d spans acknowledged, %d traces kept, %d spans delivered more than once",
		away, report.acknowledged, report.kept, report.repeated)
	assert.Zero(t, report.lost)
	assert.Zero(t, report.unwanted)
	assert.Greater(t, report.kept, 100)
}

// While the disk is full the gateway refuses spans with a retryable code. It neither crashes nor loses spans, and accepts them again
// when there is room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a file system")
	}
	dir := t.TempDir()
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+strconv.Itoa(diskSize), "tmpfs", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	g := startGateway(t, []string{"E2E_SPANS_DIR=" + dir}, "testdata/sampling.yaml", "testdata/spans-dir.yaml")
	filler := filepath.Join(dir, "filler")
	load := startLoad(t, g, 2, 200)
	g.backend.fail(t, true) // so that the gateway does not free room by delivering
	time.Sleep(2 * time.Second)

	var unready readyState
	require.Eventually(t, func() bool {
		fill(t, filler)
		unready = g.readyz(t)
		return unready.status == http.StatusServiceUnavailable
	}, patience, 200*time.Millisecond, "/readyz does not report the full disk")
	assert.Contains(t, strings.ToLower(unready.message("tail_sampling")), "space")
	time.Sleep(2 * time.Second) // spans are refused

	require.NoError(t, os.Remove(filler))
	g.backend.fail(t, false)
	require.Eventually(t, func() bool { return g.readyz(t).status == http.StatusOK }, patience, 200*time.Millisecond,
		"the gateway does not become ready although there is room again")
	time.Sleep(2 * time.Second) // spans are accepted again
	load.stop()
	g.awaitSettled(t)
	report := load.compare(t, g.backend.spans(t))
	assert.Zero(t, report.lost)
	assert.Zero(t, report.unwanted)
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(t, err)
	defer file.Close()
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = file.Write(block)
	}
	var full *fs.PathError
	require.True(t, errors.As(err, &full), "%v", err)
}

// readyState is the answer of /readyz.
type readyState struct {
	status int
	api.Readiness
}

func (r readyState) message(id string) string {
	for _, c := range r.Components {
		if c.ID == id {
			return c.Message
		}
	}
	return ""
}

// names reports whether a component's message contains the words.
func (r readyState) names(words string) bool {
	return slices.ContainsFunc(r.Components, func(c api.ComponentHealth) bool { return strings.Contains(c.Message, words) })
}

func (g *gateway) readyz(t *testing.T) (state readyState) {
	t.Helper()
	resp, err := http.Get("http://" + g.web + "/readyz")
	require.NoError(t, err)
	defer resp.Body.Close()
	d := json.NewDecoder(resp.Body)
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&state.Readiness))
	state.status = resp.StatusCode
	return state
}
