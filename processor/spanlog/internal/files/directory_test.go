package files

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the system says is told with what to do about it.
func TestMessages(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{fs.ErrPermission, "permission denied|permission does not exist|let the user who runs slowburn write there, or set another directory"},
		{syscall.EACCES, "let the user who runs slowburn write there, or set another directory"},
		{syscall.ENOTDIR, "a file is in the way: move it, or set another directory"},
		{syscall.EIO, "see to it that the disk works, or set another directory"},
	} {
		err := explain("open", "/x", tc.err)
		require.ErrorIs(t, err, tc.err)
		require.Regexp(t, tc.want, err.Error())
	}
}

func TestOneDirectoryOneOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	first, err := OpenDirectory(path)
	require.NoError(t, err, "what is missing is made")
	_, err = OpenDirectory(path)
	require.ErrorContains(t, err, fmt.Sprintf("in use by another process (pid %d)", os.Getpid()))
	require.NoError(t, first.Close())
	again, err := OpenDirectory(path)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}
