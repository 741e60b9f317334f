package upkeep_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/slo/tsdb/internal/upkeep"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fault reads a mapped file that was cut off.
func fault(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	defer f.Close()
	m, err := mapped.Create(f, 1, os.Getpagesize())
	require.NoError(t, err)
	defer m.Release()
	require.NoError(t, f.Truncate(0))
	m.Buf[0]++
}

func TestGuard(t *testing.T) {
	failed := errors.New("failed")
	require.NoError(t, upkeep.Guard(func() error { return nil }))
	require.Equal(t, failed, upkeep.Guard(func() error { return failed }))
	for want, work := range map[string]func() error{
		"a mapped file was cut off, or cannot be read": func() error { fault(t); return nil },
		"no space left on device":                      func() error { panic(syscall.ENOSPC) },
		"words":                                        func() error { panic("words") },
	} {
		var broken *upkeep.Broken
		err := upkeep.Guard(work)
		require.ErrorAs(t, err, &broken)
		require.EqualError(t, err, want)
		assert.Contains(t, broken.Stack(), "upkeep_test")
		assert.Equal(t, want == "a mapped file was cut off, or cannot be read", upkeep.Fault(err) != nil)
	}
}

// database counts what is asked of it.
type database struct {
	disabled        bool
	compacted, maps int
	fails           func() error
}

func (d *database) DisableCompactions() { d.disabled = true }
func (d *database) ForceHeadMMap()      { d.maps++ }
func (d *database) Compact(context.Context) error {
	d.compacted++
	return d.fails()
}

// A loop works once a minute, and when it is woken, but after a failure; while the disk has no room it maps nothing; what breaks the
// database ends it.
func TestLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fails, room, reported error
		db := &database{fails: func() error { return fails }}
		rounds := 0
		l := upkeep.Start(db, func() error { return room }, func(err error) { rounds, reported = rounds+1, err })
		defer l.Stop()
		after := func(d time.Duration, want int) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			assert.Equal(t, want, rounds)
			assert.Equal(t, want, db.compacted)
			assert.Equal(t, fails, reported)
		}
		assert.True(t, db.disabled)
		after(time.Minute-1, 0)
		after(1, 1)
		l.Wake()
		after(0, 2)
		fails, room = errors.New("full"), errors.New("no room")
		after(time.Minute, 3)
		assert.Equal(t, 2, db.maps)
		l.Wake()
		after(time.Minute-1, 3)
		fails, room = nil, nil
		reported = nil
		after(1, 4)
		assert.Equal(t, 3, db.maps)

		db.fails = func() error { panic("broken") }
		time.Sleep(time.Minute)
		synctest.Wait()
		require.EqualError(t, reported, "broken")
		time.Sleep(time.Hour)
		assert.Equal(t, 5, rounds)
		l.Stop()
	})
}

func TestCompactable(t *testing.T) {
	assert.False(t, upkeep.Compactable(0, 3*3600_000))
	assert.True(t, upkeep.Compactable(0, 3*3600_000+1))
}
