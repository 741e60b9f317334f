package proc

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGroup holds that a process starts in the group, with its ID, and that a file that it reads or writes counts.
func TestGroup(t *testing.T) {
	const limit, size = 256 << 20, 32 << 20
	g, err := NewGroup(limit)
	if err != nil {
		t.Skip("this machine lets us make no control group: ", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	line := g.Command("/bin/sh", "-c", `echo $$; dd if=/dev/zero of="$0" bs=1M count=32 2>/dev/null; echo written; read wait || true`, file)
	cmd := exec.CommandContext(t.Context(), line[0], line[1:]...)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var said []byte
	for buf := make([]byte, 100); !bytes.Contains(said, []byte("written")); {
		n, err := out.Read(buf)
		require.NoError(t, err)
		said = append(said, buf[:n]...)
	}
	assert.Equal(t, strconv.Itoa(cmd.Process.Pid), strings.SplitN(string(said), "\n", 2)[0], "it is the same process")
	c, err := g.Charged()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, c.Total, uint64(size), "the page cache counts")
	assert.Less(t, c.Anonymous, uint64(size))
	assert.LessOrEqual(t, c.WorkingSet, c.Total)
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
	require.NoError(t, g.Remove())
	assert.NoDirExists(t, g.dir)
}

// TestCached holds that the pages of files are found, and those that are gone are none.
func TestCached(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), make([]byte, 3*os.Getpagesize()+1), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600))
	assert.Equal(t, uint64(4*os.Getpagesize()), Cached(dir))
	assert.Equal(t, uint64(4*os.Getpagesize()), Cached(filepath.Join(dir, "a"), filepath.Join(dir, "none")))
}

func TestReadBytes(t *testing.T) {
	_, err := ReadBytes(os.Getpid())
	require.NoError(t, err)
	_, err = ReadBytes(-1)
	require.Error(t, err)
}
