package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReceiverPrintsWhatItIsTold(t *testing.T) {
	var out bytes.Buffer
	r, err := startReceiver(t.Context(), &out)
	require.NoError(t, err)
	resp, err := http.Post(r.url(), "application/json", strings.NewReader(`{"status":"firing","alerts":[{"labels":{"severity":"page"},`+
		`"annotations":{"summary":"Page: shop burns."}}]}`))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, r.close())
	assert.Equal(t, "\n>>> webhook, page firing: Page: shop burns.\n", out.String())
}

func TestDataDirectory(t *testing.T) {
	t.Setenv(dataDirVariable, "")
	assert.Equal(t, filepath.Join("slowburn-data", "demo"), dataDir())
	t.Setenv(dataDirVariable, "elsewhere")
	assert.Equal(t, "elsewhere", dataDir())
}

// A demo that cannot run says so, and its exit code does, too.
func TestExitCode(t *testing.T) {
	const isDemo = "DEMO_OF_TEST"
	if os.Getenv(isDemo) != "" {
		os.Args = []string{"demo", "-rate", "0"}
		main()
		return
	}
	demo := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestExitCode$") //nolint:gosec // it is this test
	demo.Env = append(os.Environ(), isDemo+"=1")
	output, err := demo.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 1, exit.ExitCode())
	assert.Contains(t, string(output), "demo: --rate 0 must be above 0")
}

// A gateway that ends by itself is told of, with its log, and has the data directory in its environment.
func TestGatewayThatEnds(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(dataDirVariable, dir)
	script := filepath.Join(dir, "gateway.sh")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\necho $SLOWBURN_DATA_DIR\nexit 3\n"), 0o700)) //nolint:gosec // it is run
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := startGateway(ctx, func(err error) { ended <- err }, options{gateway: script, endpoint: "127.0.0.1:1"}, "http://127.0.0.1:1/")
	want := "the gateway ended: exit status 3; its log is " + filepath.Join(dir, logFile)
	require.EqualError(t, err, want)
	require.EqualError(t, <-ended, want)
	log, err := os.ReadFile(filepath.Join(dir, logFile))
	require.NoError(t, err)
	assert.Equal(t, dir+"\n", string(log))
}
