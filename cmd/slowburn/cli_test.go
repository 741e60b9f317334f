package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn"
)

// slowburnSays runs the command and returns its output.
func slowburnSays(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := command()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestVersion(t *testing.T) {
	out, err := slowburnSays(t, "--version")
	require.NoError(t, err)
	assert.Regexp(t, `^slowburn version `+regexp.QuoteMeta(version)+` \(commit \S+, `+regexp.QuoteMeta(runtime.Version())+`, \w+/\w+\)\n$`, out)
}

func TestHealth(t *testing.T) {
	const (
		well     = `{"ready":true,"components":[{"id":"slo","ok":false,"blocking":false,"message":"no answer"}]}`
		sick     = `{"ready":false,"components":[{"id":"tail_sampling","ok":false,"blocking":true,"message":"the disk is full"},{"id":"slo","ok":true}]}`
		sickMute = `{"ready":false,"components":[]}`
	)
	for name, test := range map[string]struct {
		status      int
		body        string
		args        []string
		says, fails string
	}{
		"ready":                {http.StatusOK, well, nil, "", ""},
		"ready, verbose":       {http.StatusOK, well, []string{"--verbose"}, "fails slo: no answer\n", ""},
		"not ready":            {http.StatusServiceUnavailable, sick, nil, "", "the gateway cannot take spans: tail_sampling: the disk is full"},
		"not ready, no detail": {http.StatusServiceUnavailable, sickMute, nil, "", "the gateway cannot take spans"},
		"not a gateway":        {http.StatusOK, `{}`, nil, "", "answers 200 OK: see --server"},
		"no such page":         {http.StatusNotFound, "nothing", nil, "", "answers 404 Not Found: see --server"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "/readyz", r.URL.Path)
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			defer server.Close()
			out, err := slowburnSays(t, append([]string{"health", "--server", server.URL}, test.args...)...)
			if test.fails == "" {
				require.NoError(t, err)
				assert.Equal(t, test.says, out)
				return
			}
			require.ErrorContains(t, err, test.fails)
		})
	}
}

// A gateway that hangs is unhealthy, and an https one with a certificate for another name can be probed.
func TestHealthTransport(t *testing.T) {
	released := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-released }))
	defer hangs.Close()
	defer close(released)
	_, err := slowburnSays(t, "health", "--server", hangs.URL, "--timeout", "20ms")
	require.ErrorContains(t, err, "see --server")

	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"ready":true}`)) }))
	defer secure.Close()
	_, err = slowburnSays(t, "health", "--server", secure.URL)
	require.ErrorContains(t, err, "certificate")
	_, err = slowburnSays(t, "health", "--server", secure.URL, "--insecure")
	require.NoError(t, err)
}

// `config init` writes a second file, with a backend, two objectives and receivers, that the gateway accepts unchanged.
func TestConfigInit(t *testing.T) {
	t.Setenv("SLOWBURN_DATA_DIR", t.TempDir())
	file := filepath.Join(t.TempDir(), "ours.yaml")
	out, err := slowburnSays(t, "config", "init", file)
	require.NoError(t, err)
	assert.Contains(t, out, "slowburn validate --config config.yaml --config "+file)
	require.NoError(t, validate(t, "../../config.yaml", file))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(text), "otlp_grpc/backend")
	assert.Equal(t, 2, strings.Count(string(text), "target: "), "objectives")
	assert.Contains(t, string(text), "receivers:")

	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o600))
	_, err = slowburnSays(t, "config", "init", file)
	require.ErrorContains(t, err, file+" exists and is not overwritten")
	text, err = os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(text))
	_, err = slowburnSays(t, "config", "init", filepath.Join(file, "below"))
	require.Error(t, err)

	out, err = slowburnSays(t, "config", "default", "-")
	require.NoError(t, err)
	assert.Equal(t, slowburn.DefaultConfig, out)
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		out, err := slowburnSays(t, "completion", shell)
		require.NoError(t, err)
		assert.Contains(t, out, "slowburn", shell)
	}
	out, err := slowburnSays(t, "__complete", "--config", "")
	require.NoError(t, err)
	assert.Contains(t, out, "yaml\nyml\n:8\n", "files by their extension")
	out, err = slowburnSays(t, "__complete", "h")
	require.NoError(t, err)
	assert.Contains(t, out, "health\t")
}

func TestCapacity(t *testing.T) {
	out, err := slowburnSays(t, "capacity", "--rate", "100000", "--growth", "10%/month")
	require.NoError(t, err)
	lines := strings.Split(out, "\n")
	assert.Regexp(t, `^month\s+spans/s\s+cores\s+memory\s+memory_budget\s+disk\s+disk_budget$`, lines[0])
	assert.Regexp(t, `^0\s+100000\s`, lines[1])
	assert.Regexp(t, `^12\s+313843\s`, lines[5])
	assert.Contains(t, out, "\nToday: processors: {tail_sampling: {memory_budget: ")

	for args, want := range map[string]string{
		"":                                "required flag(s) \"rate\"",
		"--rate 0":                        "--rate must be above 0",
		"--rate 1 --growth 10":            "10%/month",
		"--rate 1 --growth 10%/fortnight": "percent per week",
		"--rate 1 --kept 3":               "write percent, like 3%",
		"--rate 1 --wait 0s":              "--wait must be above",
		"--rate 1 --months 0":             "--months must be",
		"--rate NaN":                      "--rate must be",
		"--rate 1 --headroom 0.5":         "--headroom must be",
	} {
		_, err := slowburnSays(t, append([]string{"capacity"}, strings.Fields(args)...)...)
		require.ErrorContains(t, err, want, args)
	}
}
