//go:build deploy

package check

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	binary = "bin/slowburn"
	// patience is how long a test waits for what must happen: much longer than it takes, for machines that are busy.
	patience = time.Minute
	// grace is how long a gateway has to end: shutdown_timeout, and what closing files takes.
	grace = 20 * time.Second
)

// gateway is a slowburn in a root of its own.
type gateway struct {
	cmd  *exec.Cmd
	done chan struct{}
	log  string // the path of its output
}

// program is how a gateway is started.
type program struct {
	root string // which it takes for /
	uid  uint32
	args []string // the program and its arguments
	env  []string
}

// start starts a gateway and stops it when the test ends. It has no environment but its own.
func start(t *testing.T, p program) *gateway {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(t.TempDir(), "gateway.log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	require.NoError(t, err)
	g := &gateway{log: log.Name(), done: make(chan struct{}), cmd: &exec.Cmd{
		Path: p.args[0], Args: p.args, Env: p.env, Dir: "/", Stdout: log, Stderr: log,
		SysProcAttr: &syscall.SysProcAttr{Chroot: p.root, Credential: &syscall.Credential{Uid: p.uid, Gid: p.uid}},
	}}
	require.NoError(t, g.cmd.Start())
	go func() {
		_ = g.cmd.Wait()
		close(g.done)
	}()
	t.Cleanup(func() {
		g.stop(t)
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("the gateway said:\n%s", text[max(0, len(text)-8000):])
		}
		_ = log.Close()
	})
	return g
}

// ended reports whether the process has ended.
func (g *gateway) ended() bool {
	select {
	case <-g.done:
		return true
	default:
		return false
	}
}

// ready waits until /readyz says 200.
func (g *gateway) ready(t *testing.T) {
	t.Helper()
	await(t, "the gateway to be ready", func() bool {
		if g.ended() {
			t.Fatalf("the gateway has ended: %s", g.cmd.ProcessState)
		}
		return status("http://127.0.0.1:8080/readyz") == http.StatusOK
	})
}

// stop ends the gateway by SIGTERM, within the grace period.
func (g *gateway) stop(t *testing.T) {
	t.Helper()
	_ = g.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	select {
	case <-g.done:
	case <-time.After(grace):
		_ = g.cmd.Process.Kill()
		<-g.done
		t.Errorf("the gateway did not end within %s of SIGTERM", grace)
	}
}

// await looks again and again until it is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if so() {
			return
		}
	}
	t.Fatalf("waited %s in vain for %s", patience, what)
}

// status is the code of an answer, 0 where there is none.
func status(url string) int {
	answer, err := http.Get(url) //nolint:noctx // loopback
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode
}

// newTraceID is a random one.
func newTraceID() string {
	var id [16]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

// send exports a trace of one span that failed, as JSON over HTTP, and reports whether it was acknowledged.
func send(traceID string) bool {
	now := time.Now().UnixNano()
	body := fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"checkout"}}]},`+
		`"scopeSpans":[{"spans":[{"traceId":%q,"spanId":%q,"name":"POST /orders","kind":2,`+
		`"startTimeUnixNano":"%d","endTimeUnixNano":"%d","status":{"code":2}}]}]}]}`, traceID, traceID[:16], now-int64(time.Millisecond), now)
	answer, err := http.Post("http://127.0.0.1:4318/v1/traces", "application/json", bytes.NewBufferString(body)) //nolint:noctx // loopback
	if err != nil {
		return false
	}
	text, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK && !bytes.Contains(text, []byte("rejectedSpans"))
}

// kept waits until the dashboard's API has the trace.
func kept(t *testing.T, traceID string) {
	t.Helper()
	await(t, "trace "+traceID, func() bool {
		return status("http://127.0.0.1:8080/api/traces/v1/traces/"+traceID) == http.StatusOK
	})
}

// run runs a command and returns what it printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return runIn(t, nil, name, args...)
}

func runIn(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %q:\n%s", name, args, out)
	return string(out)
}

// mount binds a directory, for reading alone if readOnly is set, and takes it back when the test ends.
func mount(t *testing.T, source, target string, readOnly bool) {
	t.Helper()
	require.NoError(t, os.MkdirAll(target, 0o755))
	require.NoError(t, syscall.Mount(source, target, "", syscall.MS_BIND, ""))
	t.Cleanup(func() { _ = syscall.Unmount(target, syscall.MNT_DETACH) })
	if readOnly {
		require.NoError(t, syscall.Mount("", target, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	}
}
