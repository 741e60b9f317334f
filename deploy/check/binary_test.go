//go:build deploy

package check

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxBinary is how large the stripped binary may be, in bytes.
const maxBinary = 62_000_000

// TestBinaryStatic: what `make build` made needs no loader and no library, and is not larger than it may be.
func TestBinaryStatic(t *testing.T) {
	file, err := elf.Open(binary)
	require.NoError(t, err)
	defer file.Close()
	for _, p := range file.Progs {
		assert.NotEqual(t, elf.PT_INTERP, p.Type, "it asks for a loader")
	}
	libraries, err := file.ImportedLibraries()
	require.NoError(t, err)
	assert.Empty(t, libraries)
	info, err := os.Stat(binary)
	require.NoError(t, err)
	t.Logf("%d bytes", info.Size())
	assert.LessOrEqual(t, info.Size(), int64(maxBinary))
}

// TestBinaryInEmptyRoot: it runs where there is nothing else, and says what it is.
func TestBinaryInEmptyRoot(t *testing.T) {
	root := t.TempDir()
	run(t, "cp", binary, root)
	cmd := exec.CommandContext(t.Context(), "/slowburn", "--version")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	cmd.Dir, cmd.Env = "/", []string{}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Regexp(t, regexp.MustCompile(`^slowburn version \S+ \(commit [0-9a-f]{40}, go1\.\d+\S*, linux/\w+\)\n$`), string(out))
}

// TestBinaryReproducible: another checkout of the commit, elsewhere, gives the same bytes.
func TestBinaryReproducible(t *testing.T) {
	commit := strings.TrimSpace(run(t, "git", "rev-parse", "HEAD"))
	var sums []string
	for range 2 {
		tree := filepath.Join(t.TempDir(), "src")
		run(t, "git", "clone", "--quiet", "--no-hardlinks", "--shared", ".", tree)
		run(t, "git", "-C", tree, "checkout", "--quiet", commit)
		run(t, "cp", "-a", "web/ui/dist", filepath.Join(tree, "web/ui/")) // Vite's, which is not Go's to repeat
		run(t, "make", "-s", "-C", tree, "-o", "ui", "build", "VERSION=1.2.3", "COMMIT="+commit)
		content, err := os.ReadFile(filepath.Join(tree, binary))
		require.NoError(t, err)
		sum := sha256.Sum256(content)
		sums = append(sums, hex.EncodeToString(sum[:]))
	}
	assert.Equal(t, sums[0], sums[1])
}
