package otherformat

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// An existing name, of whatever kind, is not overwritten.
func TestNames(t *testing.T) {
	for name, c := range map[string]struct {
		there   []string // files, or directories if they end in /
		version Version
		want    string
	}{
		"the first":       {nil, 3, "f.format-3"},
		"the second":      {[]string{"f.format-3"}, 3, "f.format-3-2"},
		"the third":       {[]string{"f.format-3", "f.format-3-2"}, 3, "f.format-3-3"},
		"after a gap":     {[]string{"f.format-3", "f.format-3-3"}, 3, "f.format-3-2"},
		"of another file": {[]string{"g.format-3"}, 3, "f.format-3"},
		"of none":         {[]string{"f.format-3"}, 0, "f.format-0"},
		"a directory":     {[]string{"f.format-3/"}, 3, "f.format-3-2"},
		"unknown":         {nil, Unknown, "f.format-unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, there := range c.there {
				if there[len(there)-1] == '/' {
					require.NoError(t, os.Mkdir(filepath.Join(dir, there), 0o700))
				} else {
					write(t, filepath.Join(dir, there), "mine")
				}
			}
			moved, err := MoveFile(write(t, filepath.Join(dir, "f"), "content"), c.version)
			require.NoError(t, err)
			path := filepath.Join(dir, c.want)
			assert.Equal(t, Moved{Version: c.version, Path: path, Files: 1, Bytes: 7}, moved)
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, "content", string(b))
			assert.Len(t, names(t, dir), len(c.there)+1)
		})
	}
}

// A file may be a dangling symbolic link: its name is taken.
func TestDanglingLink(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "f.format-1")))
	moved, err := MoveFile(write(t, filepath.Join(dir, "f"), ""), 1)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "f.format-1-2"), moved.Path)
}

// faulty fails at a given step.
type faulty struct {
	machine
	exists, rename, fsync error
	fsyncs                []string
}

func (f *faulty) Exists(path string) (bool, error) {
	there, err := f.machine.Exists(path)
	return there, errors.Join(f.exists, err)
}

func (f *faulty) Rename(from, to string) error {
	if f.rename != nil {
		return f.rename
	}
	return f.machine.Rename(from, to)
}

func (f *faulty) Fsync(path string) error {
	f.fsyncs = append(f.fsyncs, path)
	return errors.Join(f.fsync, f.machine.Fsync(path))
}

// Files of one version are reported together; each directory is flushed once. After an error the file is still in place, and a
// later Move continues.
func TestMover(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	path := func(name string) string { return write(t, filepath.Join(dir, name), "content") }
	broken := errors.New("broken")
	sys := &faulty{}
	m := Mover{System: sys}
	require.NoError(t, m.Move(path("a"), 1, 7))
	require.NoError(t, m.Move(path("b"), 9, 7))
	sys.exists = broken
	require.ErrorIs(t, m.Move(path("c"), 1, 7), broken)
	sys.exists, sys.rename = nil, broken
	require.ErrorIs(t, m.Move(path("c"), 1, 7), broken)
	sys.rename = nil
	assert.Equal(t, []string{"a.format-1", "b.format-9", "c"}, names(t, dir))
	require.NoError(t, m.Move(filepath.Join(dir, "c"), 1, 7))
	require.NoError(t, m.Move(write(t, filepath.Join(other, "d"), ""), 1, 0))
	assert.Equal(t, []Moved{
		{Version: 1, Path: filepath.Join(dir, "a.format-1"), Files: 3, Bytes: 14},
		{Version: 9, Path: filepath.Join(dir, "b.format-9"), Files: 1, Bytes: 7},
	}, m.Moved)
	assert.Empty(t, sys.fsyncs)
	require.NoError(t, m.Flush())
	require.NoError(t, m.Flush())
	assert.Equal(t, []string{dir, other}, sys.fsyncs)

	require.NoError(t, m.Move(path("e"), 1, 7))
	sys.fsync = broken
	require.ErrorIs(t, m.Flush(), broken)

	_, err := MoveFile(filepath.Join(dir, "none"), 1)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestMessageAndLog(t *testing.T) {
	one := Moved{Version: 2, Path: "/d/f.format-2", Files: 1, Bytes: 3}
	many := Moved{Version: Unknown, Path: "/d/g.format-unknown", Files: 12, Bytes: 99}
	assert.Empty(t, Message(nil, 1, "all is lost"))
	assert.Equal(t, "all is lost: a file of format version 2 was moved to /d/f.format-2 (this version of slowburn reads format version 1)",
		Message([]Moved{one}, 1, "all is lost"))
	assert.Equal(t, "all is lost: a file of format version 2 was moved to /d/f.format-2, "+
		"12 files of format version unknown were moved aside, the first to /d/g.format-unknown (this version of slowburn reads format version 1)",
		Message([]Moved{one, many}, 1, "all is lost"))
	assert.Equal(t, "its format version is unknown, and this version of slowburn reads 1", (&Error{Version: Unknown, Reads: 1}).Error())

	core, logs := observer.New(zapcore.DebugLevel)
	Log(zap.New(core), []Moved{one, many}, 1, "all is lost")
	require.Equal(t, 2, logs.Len())
	entry := logs.All()[1]
	assert.Equal(t, zapcore.WarnLevel, entry.Level)
	assert.Equal(t, "files of another format version moved aside: all is lost", entry.Message)
	fields := entry.ContextMap()
	assert.Contains(t, fields["what_to_do"], "delete")
	delete(fields, "what_to_do")
	assert.Equal(t, map[string]any{
		"format_version": "unknown", "format_version_read": "1", "moved_to": "/d/g.format-unknown", "files": int64(12), "bytes": int64(99),
	}, fields)
}
