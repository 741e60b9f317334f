package damage_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo/tsdb/internal/damage"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

// unreadable makes a file that opens, but whose bytes cannot be read.
func unreadable(t *testing.T, path string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("there is no file that cannot be read")
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.Symlink("/proc/self/mem", path)) // offset 0 is unreadable
}

func TestUnreadable(t *testing.T) {
	for name, tt := range map[string]struct {
		make  func(t *testing.T, dir string)
		parts []string
	}{
		"nothing is there": {func(*testing.T, string) {}, nil},
		"all is well": {func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "wal", "00000000"), "junk is the database's to repair")
			write(t, filepath.Join(dir, "wal", "checkpoint.00000001", "00000000"), "")
			write(t, filepath.Join(dir, "chunks_head", "000001"), "")
			write(t, filepath.Join(dir, "lock"), "")
		}, nil},
		"a segment of the log": {func(t *testing.T, dir string) { unreadable(t, filepath.Join(dir, "wal", "00000001")) }, damage.Log},
		"a checkpoint of the log": {func(t *testing.T, dir string) {
			unreadable(t, filepath.Join(dir, "wal", "checkpoint.00000001", "00000000"))
		}, damage.Log},
		"the log of late samples": {func(t *testing.T, dir string) { unreadable(t, filepath.Join(dir, "wbl", "00000000")) }, damage.Log},
		"chunks":                  {func(t *testing.T, dir string) { unreadable(t, filepath.Join(dir, "chunks_head", "000001")) }, damage.Chunks},
		"a block": {func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "01BLOCK", "meta.json"), `{"version": 1}`)
			write(t, filepath.Join(dir, "other", "file"), "")
		}, []string{"01BLOCK"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			tt.make(t, dir)
			parts, why := damage.Unreadable(dir)
			assert.Equal(t, tt.parts, parts)
			assert.Equal(t, tt.parts != nil, why != nil, "%v", why)
			if len(parts) == len(damage.Log) {
				assert.ErrorIs(t, why, syscall.EIO)
			}
		})
	}
	parts, why := damage.Unreadable(filepath.Join(t.TempDir(), "none"))
	assert.Empty(t, parts)
	assert.NoError(t, why)
}

func TestMove(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tsdb")
	write(t, filepath.Join(dir, "wal", "00000000"), "log")
	write(t, filepath.Join(dir, "stays"), "")
	aside, err := damage.Move(dir, ".damaged-", damage.Log)
	require.NoError(t, err)
	assert.Equal(t, filepath.Dir(dir), filepath.Dir(aside))
	assert.Regexp(t, `tsdb\.damaged-`, filepath.Base(aside))
	moved, err := os.ReadFile(filepath.Join(aside, "wal", "00000000"))
	require.NoError(t, err)
	assert.Equal(t, "log", string(moved))
	assert.NoDirExists(t, filepath.Join(dir, "wal"))
	assert.FileExists(t, filepath.Join(dir, "stays"))

	_, err = damage.Move(filepath.Join(dir, "none", "tsdb"), ".damaged-", damage.Log)
	assert.Error(t, err)
}
