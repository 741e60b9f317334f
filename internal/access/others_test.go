package access_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/access"
)

func TestOpenToAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	assert.Empty(t, access.OpenToAll(dir), "it is not there")
	require.NoError(t, os.Mkdir(dir, 0o700))
	for mode, open := range map[os.FileMode]bool{0o700: false, 0o750: false, 0o770: false, 0o755: true, 0o701: true, 0o777: true} {
		require.NoError(t, os.Chmod(dir, mode))
		got := access.OpenToAll(dir)
		assert.Equal(t, open, got != "", "%o", mode)
		info, err := os.Stat(dir)
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), "it is not changed")
	}
	assert.NoError(t, os.Chmod(dir, 0o755))
	assert.Equal(t, dir+" has mode 0755, so that every user of this machine can read it: run `chmod o= "+dir+"` to prevent that",
		access.OpenToAll(dir))
}
