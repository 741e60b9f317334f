package spanlog

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
)

// readsOf returns what a log reads of a chain. At each pause a test's step runs before or after the reader's own.
func readsOf(l *Log, c Chain, before, after func()) (got []string, errs []error) {
	pause := func(work func()) bool {
		before()
		if work != nil {
			work()
		}
		after()
		return true
	}
	for r, err := range l.Records(c, pause) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		got = append(got, fmt.Sprintf("%s/%s/%s", r.Resource, r.Scope, r.Body))
	}
	return got, errs
}

// While a trace is read its segments may leave memory, be compressed, copied forward, or given up and filled with other spans:
// the trace reads the same before and after.
func TestSegmentsMoveWhileATraceIsRead(t *testing.T) {
	nothing := func() {}
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 5))
			l, p := newDiskLog(t, t.TempDir())
			chains, want := make([]Chain, 12), make([][]string, 12)
			appendTo := func(n int) {
				if p.Reserve(2000, 0) != nil {
					return // the disk is full for a while
				}
				resource := fmt.Sprintf("resource %d", rnd.IntN(3))
				body := fmt.Sprintf("%d %d %s", n, len(want[n]), strings.Repeat(".", rnd.IntN(1000)))
				l.Append(&chains[n], origin(resource, "scope"), []byte(body))
				want[n] = append(want[n], resource+"/scope/"+body)
				p.Cancel(2000)
			}
			for range 500 {
				appendTo(rnd.IntN(len(chains)))
			}
			reading := 0
			shrink := func(pack, disk bool) {
				if w := l.BeginShrink(pack, disk); w != nil {
					w.Run()
					_, err := l.EndShrink(w)
					require.NoError(t, err)
					w.Free()
				}
			}
			for range 5 {
				shrink(false, false)
			}
			act := func() {
				for range rnd.IntN(4) {
					switch other := rnd.IntN(len(chains)); rnd.IntN(5) {
					case 0:
						disk := rnd.IntN(2) == 0
						shrink(disk || rnd.IntN(2) == 0, disk)
					case 1:
						l.Compact(rnd.Float64(), true, nil)
					case 2:
						if other != reading {
							l.Release(&chains[other])
							want[other] = nil
						}
					default:
						for range 20 {
							if other != reading {
								appendTo(other)
							}
						}
					}
				}
			}
			for range 50 {
				reading = rnd.IntN(len(chains))
				before, after := nothing, nothing
				if rnd.IntN(2) == 0 {
					before = act
				} else {
					after = act
				}
				got, errs := readsOf(l, chains[reading], before, after)
				require.Empty(t, errs)
				require.Equal(t, want[reading], got)
				require.LessOrEqual(t, p.reading.Open(), 2*16)
			}
			for i := range chains {
				assert.Equal(t, want[i], bodies(l, chains[i]))
				l.Release(&chains[i])
			}
			assert.Zero(t, p.reading.Open(), "the files of segments that are gone are closed")
		})
	}
}

// Several senders read a log at the same time, each while others pause.
func TestTracesAreReadAtTheSameTime(t *testing.T) {
	l, p := newDiskLog(t, t.TempDir())
	chains := make([]Chain, 6)
	want := make([][]string, len(chains))
	for n := range 300 {
		i := n % len(chains)
		require.NoError(t, p.Reserve(1000, 0))
		l.Append(&chains[i], origin("r", "s"), body(n))
		want[i] = append(want[i], "r/s/"+string(body(n)))
		p.Cancel(1000)
	}
	shrinkAll(t, l)
	var read func(i int)
	read = func(i int) {
		if i == len(chains) {
			return
		}
		others := func() { read(i + 1) }
		got, errs := readsOf(l, chains[i], others, func() {})
		require.Empty(t, errs)
		require.Equal(t, want[i], got)
	}
	read(0)
	assert.LessOrEqual(t, len(l.walks.idle), maxIdle)
	counted := 0
	for _, w := range l.walks.idle {
		counted += w.cold.Bytes()
	}
	assert.LessOrEqual(t, counted, 3*p.SegmentSize())
	assert.Equal(t, counted, l.walks.bytes)
	releaseAll(l, chains)
}

// Senders read while others append, shrink and compact, each under the shard's mutex, which is released while files are read.
func TestReadersOfOneLog(t *testing.T) {
	l, p := newDiskLog(t, t.TempDir())
	chains := make([]Chain, 8)
	want := make([][]string, len(chains))
	for n := range 400 {
		i := n % len(chains)
		require.NoError(t, p.Reserve(1000, 0))
		l.Append(&chains[i], origin("r", "s"), body(n))
		want[i] = append(want[i], "r/s/"+string(body(n)))
		p.Cancel(1000)
	}
	var mu sync.Mutex
	pause := func(work func()) bool {
		mu.Unlock()
		defer mu.Lock()
		if work != nil {
			work()
		}
		return true
	}
	var senders, others sync.WaitGroup
	for i := range chains {
		senders.Go(func() {
			for range 20 {
				mu.Lock()
				var got []string
				for r, err := range l.Records(chains[i], pause) {
					if assert.NoError(t, err) {
						got = append(got, fmt.Sprintf("%s/%s/%s", r.Resource, r.Scope, r.Body))
					}
				}
				mu.Unlock()
				assert.Equal(t, want[i], got)
			}
		})
	}
	done := make(chan struct{})
	others.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			mu.Lock()
			switch n % 3 {
			case 0:
				if w := l.BeginShrink(n%2 == 0, n%2 == 0); w != nil {
					mu.Unlock()
					w.Run()
					mu.Lock()
					_, err := l.EndShrink(w)
					assert.NoError(t, err)
					w.Free()
				}
			case 1:
				l.Compact(1, true, pause)
			default:
				var gone Chain
				l.Append(&gone, origin("r", "s"), body(n))
				l.Release(&gone)
			}
			mu.Unlock()
		}
	})
	senders.Wait()
	close(done)
	others.Wait()
	releaseAll(l, chains)
	assert.Zero(t, p.reading.Open())
}

// Runs are read together up to maxPlan, so that a small trace costs one pause and a large one does not block others.
func TestPausesWhileReading(t *testing.T) {
	p := NewDiskPool(64<<20, 1<<30, 1)
	dir, err := OpenDirectory(t.TempDir())
	require.NoError(t, err)
	p.Open(dir, Seed{1, 2}, 0)
	l := New(p, 0)
	defer func() {
		l.Close()
		p.Close()
		require.NoError(t, dir.Close())
	}()
	require.Equal(t, maxSegmentSize, p.SegmentSize())
	var small, large Chain
	for n := range 4000 {
		require.NoError(t, p.Reserve(2000, 0))
		l.Append(&large, origin("r", "s"), make([]byte, 1500))
		if n%800 == 0 {
			l.Append(&small, origin("r", "s"), body(n))
		}
		p.Cancel(2000)
	}
	require.Greater(t, shrinkAll(t, l), 4)
	for _, c := range []struct {
		chain         Chain
		spans, pauses int
	}{{small, 5, 1}, {large, 4000, len(l.runs.of(large, nil))}} {
		pauses, spans := 0, 0
		for _, err := range l.Records(c.chain, func(work func()) bool {
			if work != nil {
				work()
			}
			pauses++
			return true
		}) {
			require.NoError(t, err)
			spans++
		}
		assert.Equal(t, c.spans, spans)
		assert.Equal(t, c.pauses, pauses)
	}
	l.Release(&small)
	l.Release(&large)
}

// refusing is a filesystem on which files cannot be opened for reading while err is set.
type refusing struct {
	System
	err atomic.Pointer[error]
}

func (r *refusing) Open(path string) (ReadFile, error) {
	if err := r.err.Load(); err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: *err}
	}
	return r.System.Open(path)
}

// A file that cannot be opened is reported once for each of its runs, and the other runs of the trace are read. Later the whole
// trace is read.
func TestFilesThatCannotBeOpened(t *testing.T) {
	sys := &refusing{System: files.OS}
	dir, err := files.OpenDirectoryOn(sys, t.TempDir())
	require.NoError(t, err)
	p := NewDiskPool(1_000_000, 4<<20, 1)
	p.Open(dir, Seed{1, 2}, 0)
	l := New(p, 0)
	defer func() {
		l.Close()
		p.Close()
		require.NoError(t, dir.Close())
	}()
	var c Chain
	for n := range 100 {
		require.NoError(t, p.Reserve(1000, 0))
		l.Append(&c, origin("r", "s"), body(n))
		p.Cancel(1000)
	}
	hot := int(l.list[l.active].liveRuns)
	require.Equal(t, 1, hot)
	want := bodies(l, c)
	cold := shrinkAll(t, l)
	for _, failure := range []error{syscall.EMFILE, syscall.EACCES} {
		sys.err.Store(&failure)
		got, errs := readsOf(l, c, func() {}, func() {})
		require.Len(t, errs, cold)
		for _, err := range errs {
			assert.ErrorIs(t, err, failure)
		}
		assert.Equal(t, want[len(want)-len(got):], got, "what is in memory")
		assert.NotEmpty(t, got)
		sys.err.Store(nil)
		got, errs = readsOf(l, c, func() {}, func() {})
		assert.Empty(t, errs)
		assert.Equal(t, want, got)
		l.walks.idle[0].close()
	}
	l.Release(&c)
}

// Neither a closed log nor one whose segments are given up keeps a file open.
func TestNoFileStaysOpen(t *testing.T) {
	l, p := newDiskLog(t, t.TempDir())
	chains := fill(t, l, p, 0, 500)
	shrinkAll(t, l)
	for _, c := range chains {
		bodies(l, c)
	}
	require.Positive(t, p.reading.Open())
	open := openNames(t, p)
	require.Len(t, open, p.reading.Open())
	releaseAll(l, chains[:250])
	assert.Less(t, p.reading.Open(), len(open))
	for _, c := range chains[250:] {
		bodies(l, c)
	}
	require.Positive(t, p.reading.Open())
	l.Close()
	assert.Zero(t, p.reading.Open())
	assert.Empty(t, openNames(t, p))
}

// openNames returns the files of a pool's directory that this process has open, beside those that are only mapped.
func openNames(t *testing.T, p *Pool) (names []string) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("the system does not tell")
	}
	for _, e := range entries {
		name, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && strings.HasPrefix(name, p.disk.Load().Path()) && strings.Contains(name, ".seg") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
