//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ordered sends requests of 50 spans, each until it is acknowledged, and returns the number of spans.
func (g *gateway) ordered(t *testing.T, made traffic, requests int) (spans int) {
	t.Helper()
	client := g.client(t)
	for range requests {
		td, _ := made.orders("checkout", 50)
		send(t, client, td)
		spans += 50
	}
	return spans
}

// awaitCounted waits until the database has this number of the spans that ordered sent.
func (g *gateway) awaitCounted(t *testing.T, spans int) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		calls, total, _, _ := g.counted(t, "checkout")
		assert.Equal(c, spans, calls)
		assert.Equal(c, spans, total)
	}, time.Minute, 200*time.Millisecond)
}

// countsSaid returns the messages about counts: that of /readyz, and those of the objective orders.
func (g *gateway) countsSaid(t *testing.T) (ready, volatile, lost string) {
	t.Helper()
	o := g.objective(t)
	return g.readyz(t).message("sli"), o.VolatileCounts, o.LostCounts
}

// countsFile returns the one file of counts.
func countsFile(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	require.Eventually(t, func() bool { // there are two while a new one replaces the old one
		var err error
		names, err = filepath.Glob(filepath.Join(dir, "*.counts"))
		require.NoError(t, err)
		return len(names) == 1
	}, patience, 50*time.Millisecond)
	return names[0]
}

// overwrite changes bytes of a file in place.
func overwrite(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("changed"), at)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// Law 1 on a failing disk: if the file of counts is damaged while the gateway runs, it is rewritten from memory. While the disk is
// full, the gateway reports that a crash would lose counts. At the start it reports counts that it could not read.
func TestCountsOnABadDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a file system")
	}
	dir := t.TempDir()
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+strconv.Itoa(32<<20), "tmpfs", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	counts := filepath.Join(dir, "counts")
	g := startGateway(t, []string{"E2E_COUNTS_DIR=" + counts}, "testdata/sampling.yaml", "testdata/counts-dir.yaml")
	made := newTraffic(31)
	const well = "counts every accepted span"
	all := g.ordered(t, made, 5)

	for what, damage := range map[string]func(){
		"emptied":           func() { require.NoError(t, os.Truncate(countsFile(t, counts), 0)) },
		"removed":           func() { require.NoError(t, os.Remove(countsFile(t, counts))) },
		"changed":           func() { overwrite(t, countsFile(t, counts), 20) },
		"directory removed": func() { require.NoError(t, os.RemoveAll(counts)) },
	} {
		before, err := os.Stat(countsFile(t, counts))
		require.NoError(t, err)
		damage()
		all += g.ordered(t, made, 2)
		require.Eventually(t, func() bool {
			names, _ := filepath.Glob(filepath.Join(counts, "*.counts"))
			if len(names) != 1 {
				return false
			}
			now, err := os.Stat(names[0])
			return err == nil && !os.SameFile(before, now) && now.Size() > 0
		}, patience, 20*time.Millisecond, "%s: the file is not rewritten", what)
		all += g.ordered(t, made, 2)
		g.kill(t)
		g.start(t)
		g.awaitCounted(t, all)
		ready, volatile, lost := g.countsSaid(t)
		assert.Equal(t, []string{well, "", ""}, []string{ready, volatile, lost}, what)
	}

	filler := filepath.Join(dir, "filler")
	fill(t, filler)
	overwrite(t, countsFile(t, counts), 20)
	all += g.ordered(t, made, 2)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		ready, volatile, _ := g.countsSaid(t)
		assert.Contains(c, volatile, "would not survive a crash: cannot set room aside in "+filepath.Join(counts, "sli.counts.new"))
		assert.Contains(c, volatile, "no space left on device: free space on that disk, or set another directory")
		assert.Contains(c, ready, volatile)
	}, patience, 100*time.Millisecond)
	assert.Equal(t, 200, g.readyz(t).status, "counting and sampling continue")
	all += g.ordered(t, made, 2)
	require.NoError(t, os.Remove(filler))
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		ready, volatile, lost := g.countsSaid(t)
		assert.Equal(c, []string{well, "", ""}, []string{ready, volatile, lost})
	}, patience, 200*time.Millisecond, "volatile counts are still reported although there is room again")
	all += g.ordered(t, made, 2)
	g.kill(t)
	g.start(t)
	g.awaitCounted(t, all)
	_, _, _, resets := g.counted(t, "checkout")
	assert.Zero(t, resets)

	g.kill(t)
	file := countsFile(t, counts)
	overwrite(t, file, 20)
	g.start(t)
	ready, _, lost := g.countsSaid(t)
	assert.Contains(t, lost, "counting began anew at ")
	assert.Contains(t, lost, "is now "+file+".damaged")
	assert.Equal(t, well+"; "+lost, ready)
	all += g.ordered(t, made, 2)
	g.awaitCounted(t, all) // counts that the database already had stay, and are not repeated
	g.stop(t)
	g.start(t)
	_, _, again := g.countsSaid(t)
	assert.Equal(t, lost, again, "the message is the same after a restart")
}
