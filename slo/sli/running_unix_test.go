//go:build unix

package sli

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// countsFile returns the only file of counts in a directory.
func countsFile(t *testing.T, directory string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(directory, "*.counts"))
	require.NoError(t, err)
	require.Len(t, names, 1)
	return names[0]
}

// change overwrites a byte of a file in place.
func change(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	var b [1]byte
	_, err = f.ReadAt(b[:], at)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte{b[0] ^ 4}, at)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// afterKill returns the counts of the next process if this one were killed now, and their name.
func afterKill(t *testing.T, directory string) (calls, name string) {
	t.Helper()
	cfg, sink := repeating(t), new(consumertest.MetricsSink)
	err := filepath.WalkDir(directory, func(path string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".counts" {
			return err
		}
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		return os.WriteFile(filepath.Join(cfg.Directory, e.Name()), b, 0o600)
	})
	if err != nil {
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	p := newPairOf(t, cfg, new(taker), sink)
	p.set.Resource.Attributes().PutStr(instanceKey, "another")
	p.start(t)
	name = p.emitting.(*emitting).keeper.Name()
	p.shutdown(t)
	return values(sink.AllMetrics()...)[callsOfPing], name
}

// TestDamageWhileRunning checks that no damage to the file of counts in use loses a count: the file is written again, or health
// reports since when counts would not survive a crash.
func TestDamageWhileRunning(t *testing.T) {
	const glance, all = time.Second, 2 * time.Minute
	for _, tt := range []struct {
		name    string
		noticed time.Duration
		damage  func(t *testing.T, directory, file string)
		repair  func(t *testing.T, directory string) // nil if it recovers without help
	}{
		{"emptied", glance, func(t *testing.T, _, file string) { require.NoError(t, os.Truncate(file, 0)) }, nil},
		{"cut off in the log", glance, func(t *testing.T, _, file string) { require.NoError(t, os.Truncate(file, 1<<20)) }, nil},
		{"cut off in the snapshot", glance, func(t *testing.T, _, file string) {
			info, err := os.Stat(file)
			require.NoError(t, err)
			require.NoError(t, os.Truncate(file, info.Size()-1))
		}, nil},
		{"removed", glance, func(t *testing.T, _, file string) { require.NoError(t, os.Remove(file)) }, nil},
		{"replaced", glance, func(t *testing.T, _, file string) {
			require.NoError(t, os.Remove(file))
			require.NoError(t, os.WriteFile(file, []byte("another"), 0o600))
		}, nil},
		{"moved", glance, func(t *testing.T, _, file string) { require.NoError(t, os.Rename(file, file+".old")) }, nil},
		{"lock removed", glance, func(t *testing.T, directory, _ string) {
			require.NoError(t, os.Remove(filepath.Join(directory, "sli.lock")))
		}, nil},
		{"directory removed", glance, func(t *testing.T, directory, _ string) { require.NoError(t, os.RemoveAll(directory)) }, nil},
		{"a file for a directory", glance, func(t *testing.T, directory, _ string) {
			require.NoError(t, os.RemoveAll(directory))
			require.NoError(t, os.WriteFile(directory, nil, 0o600))
		}, func(t *testing.T, directory string) { require.NoError(t, os.Remove(directory)) }},
		{"head changed", glance, func(t *testing.T, _, file string) { change(t, file, 20) }, nil},
		{"mark changed", glance, func(t *testing.T, _, file string) { change(t, file, 2050) }, nil},
		{"head of the snapshot changed", all, func(t *testing.T, _, file string) { change(t, file, 1030) }, nil},
		{"log changed", all, func(t *testing.T, _, file string) { change(t, file, 4096+40) }, nil},
		{"snapshot changed", all, func(t *testing.T, _, file string) {
			info, err := os.Stat(file)
			require.NoError(t, err)
			change(t, file, info.Size()-1)
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg, sink := repeating(t), new(consumertest.MetricsSink)
				cfg.Directory = filepath.Join(cfg.Directory, "counts")
				p := newPairOf(t, cfg, new(taker), sink)
				p.start(t)
				c := p.emitting.(*emitting).Connector
				sent := 0
				count := func() {
					sent++
					span := ping
					span.Duration = time.Duration(sent) // another request
					require.NoError(t, p.consume(t.Context(), slitest.Traces(t, span)))
				}
				assertKept := func() {
					t.Helper()
					require.Empty(t, c.Volatile())
					calls, name := afterKill(t, cfg.Directory)
					assert.Equal(t, strconv.Itoa(sent), calls)
					assert.Equal(t, c.keeper.Name(), name)
					health := c.Probe(context.Background())
					assert.True(t, health.OK)
					assert.Equal(t, "counts every accepted span", health.Message)
				}
				for range 5 {
					count()
				}
				time.Sleep(15 * time.Second) // a flush marks the log
				assertKept()
				tt.damage(t, cfg.Directory, countsFile(t, cfg.Directory))
				count()
				time.Sleep(tt.noticed)
				synctest.Wait()
				count()
				if tt.repair == nil {
					assertKept()
				} else {
					assert.Contains(t, c.Volatile(), "would not survive a crash")
					assert.Contains(t, c.Probe(context.Background()).Message, c.Volatile())
					assert.False(t, c.Probe(context.Background()).OK)
					tt.repair(t, cfg.Directory)
					time.Sleep(15 * time.Second)
					synctest.Wait()
					count()
					assertKept()
				}
				p.shutdown(t)
				calls, _ := afterKill(t, cfg.Directory)
				assert.Equal(t, strconv.Itoa(sent), calls, "after it was stopped")
			})
		})
	}
}

// TestDamageBeforeStop checks that a file that was damaged since its last check is replaced when the gateway stops.
func TestDamageBeforeStop(t *testing.T) {
	cfg, sink := repeating(t), new(consumertest.MetricsSink)
	p := newPairOf(t, cfg, new(taker), sink)
	p.start(t)
	require.NoError(t, p.consume(t.Context(), slitest.Traces(t, ping, ping)))
	change(t, countsFile(t, cfg.Directory), 4096+40)
	p.shutdown(t)
	calls, _ := afterKill(t, cfg.Directory)
	assert.Equal(t, "2", calls)
}

// TestLossIsReported checks that a loss of former counts is reported for a day, across restarts.
func TestLossIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := repeating(t)
		run := func(look func(*Connector)) {
			p := newPairOf(t, cfg, new(taker), new(consumertest.MetricsSink))
			p.start(t)
			require.NoError(t, p.consume(t.Context(), slitest.Traces(t, ping)))
			look(p.emitting.(*emitting).Connector)
			p.shutdown(t)
		}
		run(func(c *Connector) { assert.Empty(t, c.Lost()) })
		file := countsFile(t, cfg.Directory)
		change(t, file, 4096+40)
		at := time.Now().UTC().Format("2006-01-02 15:04 UTC")
		want := "counting began anew at " + at + "; counts that no metrics database had by then are missing: "
		said := func(c *Connector) {
			lost := c.Lost()
			assert.Contains(t, lost, want)
			assert.Contains(t, lost, "is now "+file+".damaged")
			health := c.Probe(context.Background())
			assert.True(t, health.OK, "it counts")
			assert.Equal(t, "counts every accepted span; "+lost, health.Message)
		}
		for range 3 {
			run(said)
			time.Sleep(7 * time.Hour)
		}
		run(func(c *Connector) {
			said(c)
			time.Sleep(4 * time.Hour)
			assert.Empty(t, c.Lost(), "a day has passed")
		})
		run(func(c *Connector) { assert.Empty(t, c.Lost()) })
	})
}
