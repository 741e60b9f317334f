//go:build deploy

package check

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	binary = "bin/slowburn"
	// patience is how long a test waits for an event: much longer than it takes, for busy machines.
	patience = time.Minute
	// grace is the time for a gateway to end: shutdown_timeout, and the time to close files.
	grace = 20 * time.Second
)

// gateway is a slowburn process in a root of its own.
type gateway struct {
	cmd  *exec.Cmd
	exe  string // its binary's path in its root, if cmd runs a container; else empty
	done chan struct{}
	log  string // path of its output
}

// program is a way to start a gateway: over a root by chroot, or in a container of an image by `buildah run`.
type program struct {
	root string // its /
	uid  uint32
	args []string // the program and its arguments
	env  []string

	volume   string // of an image; empty without one, as in a root
	readOnly bool   // of the volume
}

// command returns the program over its root, with no other environment than its own.
func (p program) command() *exec.Cmd {
	return &exec.Cmd{
		Path: p.args[0], Args: p.args, Env: p.env, Dir: "/",
		SysProcAttr: &syscall.SysProcAttr{Chroot: p.root, Credential: &syscall.Credential{Uid: p.uid, Gid: p.uid}},
	}
}

// start starts a gateway and stops it when the test ends.
func start(t *testing.T, p program) *gateway {
	t.Helper()
	needNamespaces(t)
	log, err := os.OpenFile(filepath.Join(t.TempDir(), "gateway.log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	require.NoError(t, err)
	g := &gateway{log: log.Name(), done: make(chan struct{})}
	if p.volume != "" {
		g.cmd, g.exe = p.run(t), p.args[0]
	} else {
		g.cmd = p.command()
	}
	g.cmd.Stdout, g.cmd.Stderr = log, log
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

// ready waits until /readyz answers 200.
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
	g.signal(syscall.SIGTERM)
	select {
	case <-g.done:
	case <-time.After(grace):
		g.kill(t)
		t.Errorf("the gateway did not end within %s of SIGTERM", grace)
	}
}

// kill ends the gateway by SIGKILL.
func (g *gateway) kill(t *testing.T) {
	t.Helper()
	g.signal(syscall.SIGKILL)
	<-g.done
}

// signal sends the gateway a signal once its process is there, as an engine does to a container's first process, unless it has
// ended.
func (g *gateway) signal(s syscall.Signal) {
	pid := g.cmd.Process.Pid
	for g.exe != "" && !g.ended() {
		if pid = descendant(g.cmd.Process.Pid, g.exe); pid != 0 {
			break
		}
		<-time.After(5 * time.Millisecond)
	}
	if !g.ended() {
		_ = syscall.Kill(pid, s) // an error means that it has ended
	}
}

// said reports whether the gateway's log has the text.
func (g *gateway) said(t *testing.T, words string) bool {
	t.Helper()
	text, err := os.ReadFile(g.log)
	require.NoError(t, err)
	return strings.Contains(string(text), words)
}

// began waits until the gateway logs its start, which comes late in a container, and returns that time.
func (g *gateway) began(t *testing.T) time.Time {
	t.Helper()
	for !g.said(t, "Starting slowburn") {
		require.False(t, g.ended())
		<-time.After(2 * time.Millisecond)
	}
	return time.Now()
}

// await polls a condition until it is true.
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

// answer is the answer to a request; its status is 0 if there was none.
type answer struct {
	status int
	text   string
}

// acknowledged reports whether the gateway accepted all spans of the request.
func (a answer) acknowledged() bool {
	return a.status == http.StatusOK && !strings.Contains(a.text, "rejectedSpans")
}

func answered(response *http.Response, err error) answer {
	if err != nil {
		return answer{}
	}
	text, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	return answer{response.StatusCode, string(text)}
}

func ask(url string) answer {
	return answered(http.Get(url)) //nolint:noctx // loopback
}

func status(url string) int { return ask(url).status }

// statusAs sends a request with another host name than that of the URL.
func statusAs(t *testing.T, url, host string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	r.Host = host
	return answered(http.DefaultClient.Do(r)).status
}

// newTraceID returns a random trace ID.
func newTraceID() string {
	var id [16]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

// failed returns an OTLP span that failed, as JSON, with an attribute of that many bytes, which do not compress well. With a parent,
// which never comes, its trace is decided after decision_wait; without one, soon after the span.
func failed(traceID, parentID string, size int) string {
	now := time.Now().UnixNano()
	filling := make([]byte, size/2)
	_, _ = rand.Read(filling)
	return fmt.Sprintf(`{"traceId":%q,"spanId":%q,"parentSpanId":%q,"name":"POST /orders","kind":2,`+
		`"startTimeUnixNano":"%d","endTimeUnixNano":"%d","status":{"code":2},"attributes":[{"key":"filling","value":{"stringValue":"%x"}}]}`,
		traceID, traceID[:16], parentID, now-int64(time.Millisecond), now, filling)
}

// export sends spans in one request, as JSON over HTTP.
func export(spans ...string) answer {
	body := `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"checkout"}}]},` +
		`"scopeSpans":[{"spans":[` + strings.Join(spans, ",") + `]}]}]}`
	return answered(http.Post("http://127.0.0.1:4318/v1/traces", "application/json", strings.NewReader(body))) //nolint:noctx // loopback
}

// send exports a trace of one span with an error, and reports whether it was acknowledged.
func send(traceID string) bool { return export(failed(traceID, "", 0)).acknowledged() }

// kept waits until the dashboard's API has the trace.
func kept(t *testing.T, traceID string) {
	t.Helper()
	await(t, "trace "+traceID, func() bool {
		return status("http://127.0.0.1:8080/api/traces/v1/traces/"+traceID) == http.StatusOK
	})
}

// run runs a command and returns its output.
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

// mount binds a directory, read-only if readOnly is set, and unmounts it when the test ends.
func mount(t *testing.T, source, target string, readOnly bool) {
	t.Helper()
	needNamespaces(t)
	require.NoError(t, os.MkdirAll(target, 0o755))
	require.NoError(t, syscall.Mount(source, target, "", syscall.MS_BIND, ""))
	t.Cleanup(func() { _ = syscall.Unmount(target, syscall.MNT_DETACH) })
	if readOnly {
		require.NoError(t, syscall.Mount("", target, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	}
}
