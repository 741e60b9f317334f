//go:build unix

package owner

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// childDir is the directory that TestKilled's child process takes.
const childDir = "OWNER_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		_, err := Take(dir)
		fmt.Println(err)
		select {} // until it is killed
	}
	goleak.VerifyTestMain(m)
}

// One process at a time owns a directory, and a second one gets an error with the owner.
func TestTake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	first, err := Take(dir)
	require.NoError(t, err, "what is missing is made")
	host, err := os.Hostname()
	require.NoError(t, err)

	_, err = Take(dir)
	var inUse *InUseError
	require.ErrorAs(t, err, &inUse)
	assert.Equal(t, dir, inUse.Dir)
	assert.Regexp(t, fmt.Sprintf(`^%s is in use by another process \(pid %d on host %s, since 2\S+Z\)$`, dir, os.Getpid(), host), err.Error())

	require.NoError(t, first.Release())
	again, err := Take(dir)
	require.NoError(t, err)
	require.NoError(t, again.Release())
}

// An owner whose file is empty or unreadable is an owner all the same.
func TestOwnerFileIsUnreadable(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "(which has just started)",
		"\n":                              "(which has just started)",
		"pid 7 on host x":                 "(pid 7 on host x)",
		"pid 7\x00\xff on host x\nrest\n": "(pid 7\x00 on host x)",
		strings.Repeat("x", 5000):         "(" + strings.Repeat("x", 512) + ")",
	} {
		dir := t.TempDir()
		first, err := Take(dir)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, lockName), []byte(text), 0o600))
		_, err = Take(dir)
		assert.ErrorContains(t, err, want, "%q", text)
		require.NoError(t, first.Release())
	}
}

// The directory of a killed process is free for the next.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), "/proc/self/exe")
	if self, err := os.Executable(); err == nil {
		child.Path = self
	}
	child.Env = append(os.Environ(), childDir+"="+dir)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	said := make([]byte, 64)
	n, err := out.Read(said)
	require.NoError(t, err)
	require.Equal(t, "<nil>\n", string(said[:n]))
	_, err = Take(dir)
	require.ErrorContains(t, err, fmt.Sprintf("(pid %d on host ", child.Process.Pid))

	require.NoError(t, child.Process.Kill())
	_ = child.Wait() // it was killed
	claim, err := Take(dir)
	require.NoError(t, err)
	require.NoError(t, claim.Release())
}

// A path that is no directory, or is not writable, is an error that does not mention another process.
func TestUnusableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	var inUse *InUseError
	_, err := Take(file)
	require.Error(t, err)
	require.NotErrorAs(t, err, &inUse)

	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, lockName), 0o700))
	_, err = Take(dir)
	require.Error(t, err)
	require.NotErrorAs(t, err, &inUse)
}
