package freespace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The free space of a missing directory is that of the existing one above it.
func TestOf(t *testing.T) {
	dir := t.TempDir()
	here, err := Of(dir)
	require.NoError(t, err)
	require.Positive(t, here.Total)
	require.LessOrEqual(t, here.Free, here.Total)
	there, err := Of(filepath.Join(dir, "not", "made", "yet"))
	require.NoError(t, err)
	require.Equal(t, here.Total, there.Total)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	_, err = Of(filepath.Join(dir, "file"))
	require.NoError(t, err, "a file is on a volume too")
	t.Chdir(dir)
	relative, err := Of("x")
	require.NoError(t, err)
	require.Equal(t, here.Total, relative.Total)
}

func TestAdvice(t *testing.T) {
	dir := t.TempDir()
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, fmt.Errorf("wrapped: %w", syscall.ENOSPC)} {
		got := Advice(dir, full)
		assert.Contains(t, got, "the volume of "+dir+" is full (")
		assert.Contains(t, got, " are free): free space there, or set directory to a place on another volume")
	}
	for _, other := range []error{nil, errors.New("x"), syscall.EIO, syscall.EACCES} {
		assert.Empty(t, Advice(dir, other))
	}
}

func TestFloor(t *testing.T) {
	for name, tc := range map[string]struct {
		min   int64
		space Space
		want  string
	}{
		"above":                       {100, Space{100, 1000}, ""},
		"below":                       {1 << 20, Space{1 << 10, 1 << 30}, "the volume of d has less than 1.0MiB free, which is reserved for the span log (min_free_disk): free space there"},
		"a twentieth by default":      {0, Space{1<<20 - 1, 20 << 20}, "less than 1.0MiB free"},
		"just that":                   {0, Space{1 << 20, 20 << 20}, ""},
		"of a large volume a GiB":     {0, Space{1<<30 - 1, 1 << 40}, "less than 1.0GiB free"},
		"no more of a large volume":   {0, Space{1 << 30, 1 << 40}, ""},
		"a volume that does not tell": {0, Space{}, ""},
	} {
		f := &Floor{Directory: "d", Min: tc.min, look: func(string) (Space, error) { return tc.space, nil }}
		err := f.Check()
		if tc.want == "" {
			require.NoError(t, err, name)
			continue
		}
		var r *Reached
		require.ErrorAs(t, err, &r, name)
		require.ErrorContains(t, err, tc.want, name)
	}
	unknown := &Floor{Directory: "d", look: func(string) (Space, error) { return Space{}, syscall.EIO }}
	require.NoError(t, unknown.Check())
}

// Floor checks once a second, and follows the result, up and down.
func TestFloorLooksOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks, free := 0, int64(0)
		f := &Floor{Directory: "d", Min: 10, look: func(string) (Space, error) { looks++; return Space{free, 100}, nil }}
		require.Error(t, f.Check())
		free = 10
		require.Error(t, f.Check())
		require.Equal(t, 1, looks)
		time.Sleep(time.Second)
		require.NoError(t, f.Check())
		free = 9
		time.Sleep(time.Second - 1)
		require.NoError(t, f.Check())
		time.Sleep(time.Nanosecond)
		require.Error(t, f.Check())
		require.Equal(t, 3, looks)
	})
}
