//go:build deploy

package check

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// container is what the image's command needs: its user, environment and arguments, a root for reading alone, and one volume.
func container(t *testing.T, volume string) program {
	t.Helper()
	needNamespaces(t)
	c := image(t).Config
	id, _, _ := strings.Cut(c.User, ":")
	uid, err := strconv.ParseUint(id, 10, 32)
	require.NoError(t, err)
	return program{volume: volume, uid: uint32(uid), args: append(c.Entrypoint, c.Cmd...), env: c.Env}
}

// run is `buildah run` of the image by runc, with a read-only root, no capabilities, and the test's network. Where runc cannot run a
// container, which is said, it is chroot over the image's files.
func (p program) run(t *testing.T) *exec.Cmd {
	t.Helper()
	if reason := noContainers(); reason != "" {
		noteSkip(t, "the image runs by chroot: "+reason)
		return p.chroot(t)
	}
	access := ""
	if p.readOnly {
		access = ":ro"
	}
	cmd := buildahRun()
	cmd.Args = append(cmd.Args, "--volume", p.volume+":/var/lib/slowburn"+access)
	for _, variable := range p.env {
		cmd.Args = append(cmd.Args, "--env", variable)
	}
	cmd.Args = append(append(cmd.Args, "slowburn"), p.args...)
	return cmd
}

// buildahRun is `buildah run` as a cluster runs a container, up to the name of the image.
func buildahRun() *exec.Cmd {
	runtime, err := filepath.Abs("deploy/docker/runtime.sh") // buildah starts it elsewhere
	if err != nil {
		panic(err) // no working directory
	}
	return exec.Command("deploy/docker/buildah.sh", "run", "--isolation", "oci", "--runtime", runtime, "--network", "host", "--cap-drop", "all")
}

// noContainers says why runc cannot run a container here, and nothing if it can.
var noContainers = sync.OnceValue(func() string {
	cmd := buildahRun()
	cmd.Args = append(cmd.Args, "slowburn", "/usr/bin/slowburn", "--version")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("buildah run with runc: %s: %.300s", err, out)
	}
	return ""
})

// chroot is the image's command over its files, mounted in place.
func (p program) chroot(t *testing.T) *exec.Cmd {
	t.Helper()
	p.root = filepath.Join(t.TempDir(), "root")
	mount(t, filepath.Join(imageDir, "slowburn-rootfs"), p.root, true)
	mount(t, "/proc", filepath.Join(p.root, "proc"), false)
	mount(t, p.volume, filepath.Join(p.root, "var/lib/slowburn"), p.readOnly)
	return p.command()
}

// descendant is the process that runs a binary, by its path in its root, at or below another one; 0 if there is none.
func descendant(pid int, exe string) int {
	process := filepath.Join("/proc", strconv.Itoa(pid))
	if path, err := os.Readlink(filepath.Join(process, "exe")); err == nil && strings.HasSuffix(path, exe) {
		return pid
	}
	lists, _ := filepath.Glob(filepath.Join(process, "task/*/children"))
	for _, list := range lists {
		children, _ := os.ReadFile(list) // an error means that the thread has ended
		for child := range strings.FieldsSeq(string(children)) {
			id, err := strconv.Atoi(child)
			if err != nil {
				continue
			}
			if found := descendant(id, exe); found != 0 {
				return found
			}
		}
	}
	return 0
}
