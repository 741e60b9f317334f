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
	// patience is how long a test waits for what must happen: much longer than it takes, for machines that are busy.
	patience = time.Minute
	// grace is how long a gateway has to end: shutdown_timeout, and what closing files takes.
	grace = 20 * time.Second
)

// gateway is a slowburn in a root of its own.
type gateway struct {
	cmd  *exec.Cmd
	exe  string // the path of its binary in its root, where cmd is what runs a container; else empty
	done chan struct{}
	log  string // the path of its output
}

// program is how a gateway is started: over a root by chroot, or a container of an image by `buildah run`.
type program struct {
	root string // which it takes for /
	uid  uint32
	args []string // the program and its arguments
	env  []string

	volume   string // of an image; empty where there is none, as in a root
	readOnly bool   // the volume
}

// command is the program over its root. It has no environment but its own.
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

// signal sends the gateway a signal as soon as its process is there, as an engine does to a container's first process, unless it has
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

// said reports whether the gateway has written these words.
func (g *gateway) said(t *testing.T, words string) bool {
	t.Helper()
	text, err := os.ReadFile(g.log)
	require.NoError(t, err)
	return strings.Contains(string(text), words)
}

// began waits until the gateway says that it starts, which what runs a container takes some time for, and returns when that was.
func (g *gateway) began(t *testing.T) time.Time {
	t.Helper()
	for !g.said(t, "Starting slowburn") {
		require.False(t, g.ended())
		<-time.After(2 * time.Millisecond)
	}
	return time.Now()
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

// answer is what a request got: no status where there was none.
type answer struct {
	status int
	text   string
}

// acknowledged reports whether the gateway has taken all spans of the request.
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

// statusAs asks under another name than that in the URL.
func statusAs(t *testing.T, url, host string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	r.Host = host
	return answered(http.DefaultClient.Do(r)).status
}

// newTraceID is a random one.
func newTraceID() string {
	var id [16]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

// failed is an OTLP span that failed, as JSON, with an attribute of so many bytes, which do not compress well. With a parent that never
// comes its trace is decided after decision_wait, and as soon as nothing more comes if there is none.
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

// send exports a trace of one span that failed, and reports whether it was acknowledged.
func send(traceID string) bool { return export(failed(traceID, "", 0)).acknowledged() }

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
	needNamespaces(t)
	require.NoError(t, os.MkdirAll(target, 0o755))
	require.NoError(t, syscall.Mount(source, target, "", syscall.MS_BIND, ""))
	t.Cleanup(func() { _ = syscall.Unmount(target, syscall.MNT_DETACH) })
	if readOnly {
		require.NoError(t, syscall.Mount("", target, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	}
}
