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

// An error of the system is reported with what to do.
func TestMessages(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{fs.ErrPermission, "permission denied|permission does not exist|fsGroup"},
		{syscall.EACCES, "let the user who runs slowburn .uid .* write there, in Kubernetes by securityContext.fsGroup: .*, or set another directory"},
		{syscall.EROFS, "the file system is read-only"},
		{syscall.ENOTDIR, "a file is in the way: move it, or set another directory"},
		{&fs.PathError{Op: "open", Path: "/x", Err: syscall.ENOSPC}, "free space there, or set directory to a place on another volume, or lower disk_budget"},
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
	b, err := os.ReadFile(filepath.Join(path, lockName))
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint(os.Getpid()), string(b))
	require.Equal(t, path, first.Path())
	require.NoError(t, first.Close())
	require.NoError(t, os.WriteFile(filepath.Join(path, lockName), []byte("1234567890123456789012345"), 0o600))
	again, err := OpenDirectory(path)
	require.NoError(t, err)
	b, err = os.ReadFile(filepath.Join(path, lockName))
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint(os.Getpid()), string(b), "nothing is left of the process before")
	require.NoError(t, again.Close())
}

// A directory that cannot be opened is an error that says what to do.
func TestDirectoriesThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := OpenDirectory(filepath.Join(file, "below"))
	require.ErrorContains(t, err, "cannot make the directory of the span log "+file)
	require.ErrorContains(t, err, "a file is in the way: move it, or set another directory")

	require.NoError(t, os.Mkdir(filepath.Join(dir, lockName), 0o700))
	_, err = OpenDirectory(dir)
	require.ErrorContains(t, err, "cannot open the directory of the span log "+dir)
}
