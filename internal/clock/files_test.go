package clock

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewest(t *testing.T) {
	dir := t.TempDir()
	path, _ := newestFile(filepath.Join(dir, "none"))
	assert.Empty(t, path)
	path, _ = newestFile(dir)
	assert.Empty(t, path)
	write := func(name string, at time.Time) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Chtimes(path, at, at))
		return path
	}
	write("a", noon)
	b := write("below/deep/b", noon.Add(time.Hour))
	write("below/c", noon.Add(-time.Hour))
	path, at := newestFile(dir)
	assert.Equal(t, b, path)
	assert.True(t, at.Equal(noon.Add(time.Hour)))
	assert.Empty(t, Look().Doubt)
	NotBeforeFiles(dir)
	assert.Empty(t, Look().Doubt, "it is older than the clock")
}
