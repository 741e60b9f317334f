package mapped

import (
	"errors"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The system's error about pages without room on the disk is passed on.
func TestPopulatePassesErrorsOn(t *testing.T) {
	b := cutOff(t, 2, 1).Buf
	err := ignoringEINTR(func() error { return syscall.Madvise(b, madvPopulateWrite) })
	if errors.Is(err, syscall.EINVAL) {
		t.Skip("the system cannot make pages present")
	}
	require.Error(t, err)
	require.Equal(t, err, populate(b))
}
