//go:build deploy

package check

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tailsampling"
)

const unitFile = "deploy/systemd/slowburn.service"

// unit is slowburn.service: the last value of each key of [Service].
func unit(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(unitFile)
	require.NoError(t, err)
	keys := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			keys[key] = value
		}
	}
	return keys
}

// TestUnitVerifies: systemd takes the unit as it is, with what a system has.
func TestUnitVerifies(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"usr/bin", "bin", "usr/lib/systemd/system", "etc"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	run(t, "cp", binary, filepath.Join(root, "usr/bin"))
	run(t, "cp", "/bin/kill", filepath.Join(root, "bin"))
	run(t, "cp", "-a", "/lib/systemd/system/.", filepath.Join(root, "usr/lib/systemd/system"))
	run(t, "cp", unitFile, filepath.Join(root, "usr/lib/systemd/system"))
	out := run(t, "systemd-analyze", "verify", "--man=no", "--recursive-errors=no", "--root", root, "slowburn.service")
	assert.NotContains(t, out, "slowburn", out)
}

// TestUnitExposure: systemd's own figure, 0 is none and 10 is all.
func TestUnitExposure(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "usr/lib/systemd/system"), 0o755))
	run(t, "cp", unitFile, filepath.Join(root, "usr/lib/systemd/system"))
	out := run(t, "systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", "--root", root, "slowburn.service")
	figure := regexp.MustCompile(`Overall exposure level for slowburn.service: ([0-9.]+)`).FindStringSubmatch(out)
	require.NotNil(t, figure, out)
	t.Logf("exposure %s", figure[1])
}

// TestUnitKeys: what the unit promises of the gateway holds for the gateway's defaults.
func TestUnitKeys(t *testing.T) {
	u := unit(t)
	config, ok := tailsampling.NewFactory().CreateDefaultConfig().(*tailsampling.Config)
	require.True(t, ok)
	stop, err := time.ParseDuration(u["TimeoutStopSec"])
	require.NoError(t, err)
	assert.Greater(t, stop, 2*config.ShutdownTimeout, "TimeoutStopSec has to leave time after tail_sampling::shutdown_timeout")
	assert.Equal(t, "/bin/kill -HUP $MAINPID", u["ExecReload"])
	assert.Equal(t, "SLOWBURN_DATA_DIR=/var/lib/"+u["StateDirectory"], u["Environment"])
}

// TestUnitSystemCalls: the filter lets through each call that a gateway makes from its start to its end.
func TestUnitSystemCalls(t *testing.T) {
	allowed := map[string]bool{}
	for _, name := range calls(t, "@system-service") {
		allowed[name] = true
	}
	for _, name := range calls(t, "@privileged") {
		allowed[name] = false
	}
	for _, name := range calls(t, "@default") { // always allowed
		allowed[name] = true
	}
	data := t.TempDir()
	trace := filepath.Join(t.TempDir(), "calls")
	g := start(t, program{root: "/", args: []string{"/usr/bin/strace", "-f", "-qq", "-o", trace, "-e", "signal=none",
		abs(t, binary), "--config", abs(t, "config.yaml")}, env: []string{"SLOWBURN_DATA_DIR=" + data, "GOTRACEBACK=none"}})
	g.ready(t)
	id := newTraceID()
	require.True(t, send(id))
	kept(t, id)
	stopTraced(t, g)
	text, err := os.ReadFile(trace)
	require.NoError(t, err)
	made := regexp.MustCompile(`(?m)^\d+\s+(\w+)\(`).FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(made), 1000)
	refused := map[string]bool{}
	for _, call := range made {
		if !allowed[call[1]] {
			refused[call[1]] = true
		}
	}
	assert.Empty(t, refused, "SystemCallFilter would refuse these")
}

// calls are the names of a set of systemd's, with those of the sets in it.
func calls(t *testing.T, set string) (names []string) {
	t.Helper()
	for line := range strings.Lines(run(t, "systemd-analyze", "--no-pager", "syscall-filter", set)) {
		name := strings.TrimSpace(line)
		switch {
		case !strings.HasPrefix(line, "    ") || name == "" || strings.HasPrefix(name, "#"):
		case strings.HasPrefix(name, "@"):
			names = append(names, calls(t, name)...)
		default:
			names = append(names, name)
		}
	}
	require.NotEmpty(t, names, set)
	return names
}

// stopTraced ends what strace traces, which keeps signals to itself.
func stopTraced(t *testing.T, g *gateway) {
	t.Helper()
	pid := strconv.Itoa(g.cmd.Process.Pid)
	children, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	require.NoError(t, err)
	child, err := strconv.Atoi(strings.Fields(string(children))[0])
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(child, syscall.SIGTERM))
	await(t, "the traced gateway to end", g.ended)
}

func abs(t *testing.T, file string) string {
	t.Helper()
	path, err := filepath.Abs(file)
	require.NoError(t, err)
	return path
}
