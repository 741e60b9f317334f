//go:build deploy

package check

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// imageDir is where `make deploy-image` leaves the image, unpacked as OCI.
const imageDir = "bin/image"

// imageConfig is what an OCI image says of itself.
type imageConfig struct {
	Config struct {
		User        string
		Env         []string
		Entrypoint  []string
		Cmd         []string
		Volumes     map[string]struct{}
		WorkingDir  string
		Labels      map[string]string
		StopSignal  string
		Healthcheck struct{ Test []string }
	}
}

// image reads the configuration of the built image.
func image(t *testing.T) imageConfig {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(imageDir, "config.json"))
	if reason, skipped := os.ReadFile(filepath.Join(imageDir, "skipped")); skipped == nil {
		skip(t, strings.TrimSpace(string(reason)))
	}
	require.NoError(t, err, "make deploy-image")
	var c imageConfig
	require.NoError(t, json.Unmarshal(text, &c))
	return c
}

func TestImageConfig(t *testing.T) {
	c := image(t).Config
	assert.Equal(t, "65532:65532", c.User)
	assert.Equal(t, "SIGTERM", c.StopSignal)
	assert.Equal(t, map[string]struct{}{"/var/lib/slowburn": {}}, c.Volumes)
	assert.Equal(t, []string{"CMD", "/usr/bin/slowburn", "health"}, c.Healthcheck.Test)
	for _, label := range []string{"title", "description", "source", "documentation", "licenses", "version", "revision", "created"} {
		assert.NotEmpty(t, c.Labels["org.opencontainers.image."+label], label)
		assert.NotContains(t, c.Labels["org.opencontainers.image."+label], "$")
	}
}

// TestImageFiles: nothing is in it that starts another program, and nothing but the volume belongs to its user.
func TestImageFiles(t *testing.T) {
	rootfs := filepath.Join(imageDir, "slowburn-rootfs")
	var executables []string
	require.NoError(t, filepath.Walk(rootfs, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, rootfs)
		if info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			executables = append(executables, name)
		}
		assert.Zero(t, info.Mode()&(os.ModeSetuid|os.ModeSetgid), name)
		assert.Equal(t, strings.HasPrefix(name, "/var/lib/slowburn"), owner(info) == 65532, name)
		return nil
	}))
	assert.Equal(t, []string{"/usr/bin/slowburn"}, executables)
	assert.FileExists(t, filepath.Join(rootfs, "etc/ssl/certs/ca-certificates.crt"))
	assert.FileExists(t, filepath.Join(rootfs, "usr/share/zoneinfo/Europe/Berlin"))
}

// volume is a directory that belongs to the image's user.
func volume(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chown(dir, 65532, 65532))
	return dir
}

// TestImageRestarts: as 65532, with a root that cannot be written, under load, the gateway ends within the grace period each
// time, and every span that was acknowledged is in the trace store at last. DEPLOY_RESTARTS says how often.
func TestImageRestarts(t *testing.T) {
	restarts, err := strconv.Atoi(os.Getenv("DEPLOY_RESTARTS"))
	if err != nil {
		restarts = 3
	}
	p := container(t, volume(t))
	var acknowledged []string
	for i := range restarts {
		g := start(t, p)
		g.ready(t)
		var senders sync.WaitGroup
		var mu sync.Mutex
		for range 4 {
			senders.Go(func() {
				for !g.ended() {
					if id := newTraceID(); send(id) {
						mu.Lock()
						acknowledged = append(acknowledged, id)
						mu.Unlock()
					}
				}
			})
		}
		<-time.After(time.Duration(200+100*i) * time.Millisecond) // of load
		g.stop(t)
		senders.Wait()
		require.True(t, g.cmd.ProcessState.Success(), g.cmd.ProcessState)
	}
	g := start(t, p)
	g.ready(t)
	require.Greater(t, len(acknowledged), 10*restarts)
	for _, id := range acknowledged {
		kept(t, id)
	}
	t.Logf("%d restarts, %d acknowledged traces, none lost", restarts, len(acknowledged))
}

// TestImageHealth: the health check says 0 of a gateway that is ready and 1 where there is none, without a shell.
func TestImageHealth(t *testing.T) {
	p := container(t, volume(t))
	check := p
	check.args = image(t).Config.Healthcheck.Test[1:]
	none := start(t, check)
	await(t, "the health check to end", none.ended)
	assert.Equal(t, 1, none.cmd.ProcessState.ExitCode())

	g := start(t, p)
	g.ready(t)
	well := start(t, check)
	await(t, "the health check to end", well.ended)
	assert.Equal(t, 0, well.cmd.ProcessState.ExitCode())
}

// TestImageVolume: a volume that cannot be written is named, with what to do: in a pod, where it belongs to root, fsGroup.
func TestImageVolume(t *testing.T) {
	for name, test := range map[string]struct {
		mine, readOnly bool
		says           string
	}{
		"root's":    {false, false, "fsGroup: 65532"},
		"read-only": {true, true, "read-only"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if test.mine {
				dir = volume(t)
			}
			p := container(t, dir)
			p.readOnly = test.readOnly
			p.env = append(p.env, "KUBERNETES_SERVICE_HOST=127.0.0.1")
			g := start(t, p)
			await(t, "the gateway to end", g.ended)
			assert.False(t, g.cmd.ProcessState.Success())
			text, err := os.ReadFile(g.log)
			require.NoError(t, err)
			assert.Contains(t, string(text), test.says)
			assert.Contains(t, string(text), "/var/lib/slowburn/")
		})
	}
}

// TestImageDrain: a node that goes for good has delivered what it had, long before a decision was due, and takes no more.
func TestImageDrain(t *testing.T) {
	p := container(t, volume(t))
	g := start(t, p)
	g.ready(t)
	var ids []string
	for range 20 {
		ids = append(ids, newTraceID())
		require.True(t, send(ids[len(ids)-1]))
	}
	command := func(args ...string) int {
		c := p
		c.args = append([]string{"/usr/bin/slowburn", "drain"}, args...)
		running := start(t, c)
		await(t, "slowburn drain to end", running.ended)
		return running.cmd.ProcessState.ExitCode()
	}
	require.Equal(t, 0, command())
	for _, id := range ids {
		require.Equal(t, http.StatusOK, status("http://127.0.0.1:8080/api/traces/v1/traces/"+id))
	}
	require.False(t, send(newTraceID()), "it takes spans")
	require.Equal(t, http.StatusServiceUnavailable, status("http://127.0.0.1:8080/readyz"))
	require.Equal(t, 0, command("--resume"))
	require.True(t, send(newTraceID()))
}

// TestImageDebug: the debug target is the same gateway, with a shell beside it.
func TestImageDebug(t *testing.T) {
	image(t)
	needNamespaces(t)
	if reason := noContainers(); reason != "" {
		skip(t, reason)
	}
	cmd := buildahRun()
	cmd.Args = append(cmd.Args, "debug", "/bin/busybox", "sh", "-c", "id -u && /usr/bin/slowburn --version")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Regexp(t, `^65532\nslowburn version .*\n$`, string(out))
}

// owner is the ID of the user that a file belongs to.
func owner(info os.FileInfo) uint32 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Uid
	}
	return 0
}
