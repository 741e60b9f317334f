package upkeep_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
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

// fault reads a mapped file that was truncated.
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

// database counts its calls.
type database struct {
	mu              sync.Mutex
	disabled        bool
	compacted, maps int
	rounds          int
	fails, room     error
	panics          bool
	reported        error
}

func (d *database) DisableCompactions() { d.disabled = true }

func (d *database) ForceHeadMMap() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.maps++
}

func (d *database) Compact(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.compacted++
	if d.panics {
		panic("broken")
	}
	return d.fails
}

func (d *database) hasRoom() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.room
}

func (d *database) report(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rounds++
	d.reported = err
}

// set changes the outcome of the next rounds.
func (d *database) set(fails, room error, panics bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails, d.room, d.panics = fails, room, panics
}

// require waits, and compares the calls since.
func (d *database) require(t *testing.T, wait time.Duration, rounds, maps int, reported string) {
	t.Helper()
	time.Sleep(wait)
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	assert.Equal(t, rounds, d.rounds)
	assert.Equal(t, rounds, d.compacted)
	assert.Equal(t, maps, d.maps)
	if reported == "" {
		assert.NoError(t, d.reported)
		return
	}
	assert.EqualError(t, d.reported, reported)
}

// The loop works once a minute, and when it is woken, except after a failure; without room on the disk it maps nothing; an error
// that breaks the database ends it.
func TestLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &database{}
		l := upkeep.Start(db, db.hasRoom, db.report)
		defer l.Stop()
		assert.True(t, db.disabled)
		db.require(t, time.Minute-1, 0, 0, "")
		db.require(t, 1, 1, 1, "")
		l.Wake()
		db.require(t, 0, 2, 2, "")
		db.set(errors.New("full"), errors.New("no room"), false)
		db.require(t, time.Minute, 3, 2, "full")
		l.Wake()
		db.require(t, time.Minute-1, 3, 2, "full")
		db.set(nil, nil, false)
		db.require(t, 1, 4, 3, "")
		db.set(nil, nil, true)
		db.require(t, time.Minute, 5, 4, "broken")
		db.require(t, time.Hour, 5, 4, "broken")
		l.Stop()
	})
}

func TestCompactable(t *testing.T) {
	assert.False(t, upkeep.Compactable(0, 3*3600_000))
	assert.True(t, upkeep.Compactable(0, 3*3600_000+1))
}
