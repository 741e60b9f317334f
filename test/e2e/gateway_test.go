//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is the longest wait for an expected event. It is much longer than usual, for slow or busy machines.
const patience = 3 * time.Minute

// process is a running program, which is stopped by its PID when the test ends.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	log  string // the path of its output
}

// start runs a program with its output in a log file, which is shown if the test fails.
func start(t *testing.T, name string, env []string, program string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	return run(t, name, cmd)
}

// run starts a command. Its output goes to the log file, unless the command has another one.
func run(t *testing.T, name string, cmd *exec.Cmd) *process {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(t.TempDir(), name+".log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	require.NoError(t, err)
	p := &process{cmd: cmd, done: make(chan struct{}), log: log.Name()}
	cmd.Stderr = log
	if cmd.Stdout == nil {
		cmd.Stdout = log
	}
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			if text, err := os.ReadFile(log.Name()); err == nil {
				t.Logf("%s:\n%s", name, tail(text, 8000))
			}
		}
		_ = log.Close()
	})
	return p
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }

// stop ends the program by SIGTERM, as an orchestrator does.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
		t.Errorf("%s did not end within %s of SIGTERM", p.cmd.Path, patience)
	}
}

// gateway is a slowburn, with the backend of config.yaml behind it.
type gateway struct {
	*process
	program         string
	grpc, http, web string
	env             []string
	configs         []string
	backend         *backend
}

// startGateway runs the built binary on config.yaml and the named files of testdata.
func startGateway(t *testing.T, env []string, configs ...string) *gateway {
	t.Helper()
	return startProgram(t, builtGateway(t), env, configs...)
}

// startProgram is startGateway with another binary.
func startProgram(t *testing.T, program string, env []string, configs ...string) *gateway {
	t.Helper()
	collector := startBackend(t, "--collector", "--max-bytes", strconv.Itoa(64<<20))
	g := newGateway(t, program, append([]string{"SLOWBURN_BACKEND=" + collector.grpc}, env...), configs...)
	g.backend = collector
	g.start(t)
	return g
}

// newGateway returns a gateway that is not started yet.
func newGateway(t *testing.T, program string, env []string, configs ...string) *gateway {
	t.Helper()
	g := &gateway{program: program, grpc: freePort(t), http: freePort(t), web: freePort(t)}
	g.env = append([]string{
		"E2E_GRPC=" + g.grpc, "E2E_HTTP=" + g.http, "E2E_WEB=" + g.web,
		"SLOWBURN_DATA_DIR=" + t.TempDir(),
	}, env...)
	g.configs = []string{"--config", "../../config.yaml", "--config", "testdata/ports.yaml"}
	for _, config := range configs {
		g.configs = append(g.configs, "--config", config)
	}
	return g
}

// start starts the gateway, always with the same ports and data, and waits until it is ready.
func (g *gateway) start(t *testing.T) {
	t.Helper()
	g.process = start(t, "gateway", g.env, g.program, g.configs...)
	g.awaitReady(t)
}

// awaitClosed waits until the gateway's port is closed: the script that runs a container for E2E_PROGRAM ends a moment before the gateway.
func (g *gateway) awaitClosed(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", g.web)
		if err != nil {
			return
		}
		_ = conn.Close()
		require.True(t, time.Now().Before(deadline), "the killed gateway still listens")
	}
}

func (g *gateway) awaitReady(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		select {
		case <-g.done:
			return true // see the check below
		default:
		}
		resp, err := http.Get("http://" + g.web + "/readyz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, patience, 50*time.Millisecond, "the gateway does not become ready")
	select {
	case <-g.done:
		require.FailNow(t, "the gateway ended at its start")
	default:
	}
}

// get reads a JSON answer of the gateway's API into a structure of web/api, which has all of its fields.
func (g *gateway) get(t *testing.T, path string, into any) {
	t.Helper()
	status, body := g.request(t, http.MethodGet, path)
	require.Equal(t, http.StatusOK, status, "%s: %s", path, body)
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(into), "%s: %s", path, body)
}

// request sends a request without a body to the gateway's API.
func (g *gateway) request(t *testing.T, method, path string) (status int, body []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+g.web+path, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, body
}

// builtGateway returns the path of the binary of `make build`, or of E2E_PROGRAM, which `make deploy-image-clients` sets.
func builtGateway(t *testing.T) string {
	t.Helper()
	program := os.Getenv("E2E_PROGRAM")
	if program == "" {
		program = "../../bin/slowburn"
	}
	path, err := filepath.Abs(program)
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoError(t, err, "run `make build` first")
	return path
}

// givenPorts are the addresses that freePort returned: a test may listen on one a while later.
var givenPorts sync.Map

// freePort returns a loopback address without a listener. Its port is outside of the range that the system gives to connections: while
// a gateway is down, its clients' connections could take its port.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000))
		if _, isGiven := givenPorts.LoadOrStore(address, true); isGiven {
			continue
		}
		if listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address); err == nil {
			require.NoError(t, listener.Close())
			return address
		}
	}
	require.FailNow(t, "no port is free")
	return ""
}
