package mapped

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// evict makes the system evict a file's pages, and reports whether it did: pages of a memory filesystem cannot be evicted.
func evict(t *testing.T, f *os.File) bool {
	require.NoError(t, f.Sync())
	const dontNeed = 4
	_, _, failed := syscall.Syscall6(syscall.SYS_FADVISE64, f.Fd(), 0, 0, dontNeed, 0, 0)
	require.Zero(t, failed)
	info, err := f.Stat()
	require.NoError(t, err)
	b, err := mapShared(f, int(info.Size()))
	require.NoError(t, err)
	defer unmap(b)
	return !cached(b)
}
