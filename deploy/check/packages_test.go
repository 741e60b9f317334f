//go:build deploy

package check

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// built is the one package of a kind that `make deploy-packages` wrote.
func built(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob("bin/packages/" + pattern)
	require.NoError(t, err)
	require.Len(t, found, 1, "make deploy-packages")
	return found[0]
}

// TestPackageFiles: both packages have the same files, and mark the same one as the administrator's.
func TestPackageFiles(t *testing.T) {
	deb, rpm := built(t, "*.deb"), built(t, "*.rpm")
	var debFiles []string
	for line := range strings.Lines(run(t, "dpkg-deb", "--contents", deb)) {
		fields := strings.Fields(line)
		if name := fields[5]; !strings.HasSuffix(name, "/") {
			debFiles = append(debFiles, strings.Replace(strings.TrimPrefix(name, "."), "vendor-completions", "site-functions", 1))
		}
	}
	rpmFiles := strings.Fields(run(t, "rpm", "--query", "--package", "--list", rpm))
	assert.ElementsMatch(t, debFiles, rpmFiles)
	assert.Subset(t, debFiles, []string{
		"/usr/bin/slowburn", "/usr/lib/systemd/system/slowburn.service", "/etc/slowburn/config.yaml", "/usr/share/slowburn/config.yaml",
		"/usr/share/man/man1/slowburn.1.gz", "/usr/share/bash-completion/completions/slowburn",
	})
	assert.Equal(t, "/etc/slowburn/config.yaml\n", run(t, "dpkg-deb", "--info", deb, "conffiles"))
	assert.Equal(t, "/etc/slowburn/config.yaml\n", run(t, "rpm", "--query", "--package", "--configfiles", rpm))
}

// TestPackageReproducible: packed twice, the same bytes.
func TestPackageReproducible(t *testing.T) {
	deb, rpm := built(t, "*.deb"), built(t, "*.rpm")
	before := map[string][]byte{}
	for _, file := range []string{deb, rpm} {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		before[file] = content
	}
	run(t, "make", "-s", "-o", "build", "deploy-packages")
	for file, content := range before {
		again, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.True(t, string(content) == string(again), "%s differs from itself", file)
	}
}

// install puts the deb into a root, with what maintainer scripts need from the system that installs it.
func install(t *testing.T, root, deb string) {
	t.Helper()
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "etc"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	for _, file := range []string{"var/lib/dpkg/status", "var/lib/dpkg/available"} {
		f, err := os.OpenFile(filepath.Join(root, file), os.O_CREATE, 0o644)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	run(t, "dpkg", "--root="+root, "--force-script-chrootless", "--force-not-root", "--force-confold", "--install", deb)
}

// userOf is the ID of a user, and of the group of the same name, in a root.
func userOf(t *testing.T, root, name string) uint32 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "etc/passwd"))
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^` + name + `:[^:]*:(\d+):(\d+):`).FindStringSubmatch(string(text))
	require.NotNil(t, found, "%s is not in %s", name, text)
	require.Equal(t, found[1], found[2], "user and group")
	id, err := strconv.ParseUint(found[1], 10, 32)
	require.NoError(t, err)
	return uint32(id)
}

// TestDebRuns: a root with nothing in it but the package runs the gateway, as the unit says; what the administrator wrote
// stays through an upgrade, and so do the traces.
func TestDebRuns(t *testing.T) {
	root, deb, u := t.TempDir(), built(t, "*.deb"), unit(t)
	require.NoError(t, os.Chmod(root, 0o755))
	install(t, root, deb)
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/hosts"), []byte("127.0.0.1 localhost\n"), 0o644)) // every system's
	uid := userOf(t, root, u["User"])
	state := filepath.Join(root, "var/lib", u["StateDirectory"]) // which systemd makes
	require.NoError(t, os.MkdirAll(state, 0o750))
	require.NoError(t, os.Chown(state, int(uid), int(uid)))
	mount(t, "/proc", filepath.Join(root, "proc"), false)

	p := program{root: root, uid: uid, args: strings.Fields(u["ExecStart"]), env: []string{u["Environment"]}}
	g := start(t, p)
	g.ready(t)
	id := newTraceID()
	require.True(t, send(id))
	kept(t, id)
	g.stop(t)

	config := filepath.Join(root, "etc/slowburn/config.yaml")
	const mine = "# mine\nprocessors: {tail_sampling: {decision_wait: 7s}}\n"
	require.NoError(t, os.WriteFile(config, []byte(mine), 0o640))
	install(t, root, deb)
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	assert.Equal(t, mine, string(text))
	g = start(t, p)
	g.ready(t)
	kept(t, id)
	g.stop(t)

	run(t, "dpkg", "--root="+root, "--force-script-chrootless", "--force-not-root", "--purge", "slowburn")
	assert.NoFileExists(t, filepath.Join(root, "usr/bin/slowburn"))
	assert.NoFileExists(t, config)
	assert.FileExists(t, filepath.Join(state, "traces.db"))
}
