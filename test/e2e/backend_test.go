//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc/codes"
)

// backend is a tracing backend in a process of its own.
type backend struct {
	*process
	grpc, http string
	// control is the host:port of its control API, which has its rules, counts and spans.
	control string
}

// rule sets a backend's answer to some of the requests; see package backend.
type rule struct {
	TraceID    string     `json:"trace_id,omitempty"`
	Every      int        `json:"every,omitempty"`
	Times      int        `json:"times,omitempty"`
	Code       codes.Code `json:"code,omitempty"`
	Status     int        `json:"status,omitempty"`
	RetryAfter float64    `json:"retry_after,omitempty"`
	Text       string     `json:"text,omitempty"`
	Hang       bool       `json:"hang,omitempty"`
	Reject     int64      `json:"reject,omitempty"`
}

// away is the answer of a backend that is down for a while.
var away = rule{Code: codes.Unavailable, Status: http.StatusServiceUnavailable, Text: "the backend was told to fail"}

// programs is the directory of the programs that the tests build.
var programs string

func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "slowburn-e2e"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(programs)
	os.Exit(code)
}

var buildBackend = sync.OnceValues(func() (string, error) {
	program := filepath.Join(programs, "backend")
	out, err := exec.Command("go", "build", "-o", program, "./backend").CombinedOutput()
	if err != nil {
		return string(out), err
	}
	return program, nil
})

// startBackend runs the program of package backend.
func startBackend(t *testing.T, args ...string) *backend {
	t.Helper()
	return startBackendAt(t, freePort(t), freePort(t), args...)
}

func startBackendAt(t *testing.T, grpc, http string, args ...string) *backend {
	t.Helper()
	program, err := buildBackend()
	require.NoError(t, err, program)
	b := &backend{grpc: grpc, http: http, control: freePort(t)}
	b.process = start(t, "backend", nil, program, append(args, "--grpc", grpc, "--http", http, "--control", b.control)...)
	for _, address := range []string{b.grpc, b.http, b.control} {
		require.Eventually(t, func() bool { return listens(address) }, patience, 20*time.Millisecond)
	}
	return b
}

func listens(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// startStrict runs the backend of strict/server.py, which has no rules.
func startStrict(t *testing.T, args ...string) *backend {
	t.Helper()
	python, err := filepath.Abs("strict/.venv/bin/python")
	require.NoError(t, err)
	_, err = os.Stat(python)
	require.NoError(t, err, "run `make test/e2e/strict/.venv/installed` first")
	out, in, err := os.Pipe()
	require.NoError(t, err)
	defer out.Close()
	cmd := exec.Command(python, append([]string{"strict/server.py"}, args...)...)
	cmd.Stdout = in
	b := &backend{process: run(t, "strict", cmd)}
	require.NoError(t, in.Close())
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	var at struct{ GRPC, HTTP string }
	require.NoError(t, json.Unmarshal(line, &at))
	b.grpc, b.http, b.control = at.GRPC, at.HTTP, at.HTTP
	return b
}

// spans returns all spans that the backend has accepted from one tenant. The tenant of exporters without the header is "".
func (b *backend) spans(t *testing.T, tenant ...string) ptrace.Traces {
	t.Helper()
	td, err := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(b.ask(t, "spans", tenant))
	require.NoError(t, err)
	return td
}

// backendState has a backend's counts.
type backendState struct {
	Requests, Accepted, Spans int
	LargestAccepted           int `json:"largest_accepted"`
}

func (b *backend) state(t *testing.T, tenant ...string) (s backendState) {
	t.Helper()
	require.NoError(t, json.Unmarshal(b.ask(t, "state", tenant), &s))
	return s
}

func (b *backend) ask(t *testing.T, what string, tenant []string) []byte {
	t.Helper()
	resp, err := http.Get(b.at(what, tenant))
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", body)
	return body
}

func (b *backend) at(what string, tenant []string) string {
	address := "http://" + b.control + "/" + what
	if len(tenant) == 1 {
		address += "?tenant=" + url.QueryEscape(tenant[0])
	}
	return address
}

// answer sets the rules. Without rules the backend accepts everything.
func (b *backend) answer(t *testing.T, rules ...rule) {
	t.Helper()
	b.answerTenant(t, "", rules...)
}

func (b *backend) answerTenant(t *testing.T, tenant string, rules ...rule) {
	t.Helper()
	body, err := json.Marshal(rules)
	require.NoError(t, err)
	resp, err := http.Post(b.at("rules", []string{tenant}), "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// fail makes the backend refuse everything with a retryable error, or accept everything again.
func (b *backend) fail(t *testing.T, on bool) {
	t.Helper()
	if on {
		b.answer(t, away)
	} else {
		b.answer(t)
	}
}
