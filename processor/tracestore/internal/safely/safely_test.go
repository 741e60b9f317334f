package safely

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	own := errors.New("its own")
	require.ErrorIs(t, Run(func() error { return own }), own)
	require.NoError(t, Run(func() error { return nil }))
	require.EqualError(t, Run(func() error { panic("oh") }), "panic: oh")
}
