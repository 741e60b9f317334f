package spanlog

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

func TestSegmentSizeFollowsTheBudget(t *testing.T) {
	for _, tc := range []struct {
		limit  int64
		shards int
		want   int
	}{
		{1 << 20, 4, 16 << 10},
		{1 << 20, 1, 32 << 10},
		{64 << 20, 8, 256 << 10},
		{512 << 20, 8, 1 << 20},
		{64 << 30, 8, 1 << 20},
		{MinBytesPerShard * 256, 256, 16 << 10},
	} {
		p := NewPool(tc.limit, tc.shards)
		assert.Equal(t, tc.want, p.SegmentSize(), "%d bytes, %d shards", tc.limit, tc.shards)
		assert.Equal(t, tc.limit, p.Limit())
		assert.LessOrEqual(t, int64(p.SegmentSize()*tc.shards), tc.limit/4, "what is partly filled wastes little")
	}
}

func TestReserveStopsBelowTheLimit(t *testing.T) {
	p := NewPool(1<<20, 1)
	room := int64(1<<20 - 32<<10)
	require.NoError(t, p.Reserve(room, 0))
	assert.ErrorIs(t, p.Reserve(1, 0), ErrMemoryBudget)
	assert.InDelta(t, 1, p.Pressure(), 1e-9)
	p.Cancel(room)
	assert.Zero(t, p.Pressure())

	p.Grow(room - 10)
	assert.ErrorIs(t, p.Reserve(11, 0), ErrMemoryBudget)
	assert.NoError(t, p.Reserve(10, 0))
	assert.Equal(t, room/2+5, p.Over(5, 0.5))
}

// Memory on the Go heap is counted with GOGC's share of garbage.
func TestOnHeapCountsGarbage(t *testing.T) {
	before := debug.SetGCPercent(150)
	defer debug.SetGCPercent(before)
	assert.Equal(t, int64(2500), NewPool(1<<20, 1).OnHeap(1000))
	debug.SetGCPercent(-1)
	assert.Equal(t, int64(1000), NewPool(1<<20, 1).OnHeap(1000))
}

func TestReserveIsAtomic(t *testing.T) {
	p := NewPool(1<<20, 1)
	var wg sync.WaitGroup
	var granted [8]int64
	for i := range granted {
		wg.Go(func() {
			for range 1000 {
				if p.Reserve(1<<10, 0) == nil {
					granted[i]++
				}
			}
		})
	}
	wg.Wait()
	var sum int64
	for _, g := range granted {
		sum += g
	}
	assert.LessOrEqual(t, sum, int64(1<<10-32))
	assert.GreaterOrEqual(t, sum, int64(1<<10-32-len(granted)), "only ever refused for want of room")
}

func TestPoolReusesSegmentsAndTrims(t *testing.T) {
	p := NewPool(1<<20, 1)
	size := p.SegmentSize()
	var got []mapped.Memory
	for range 16 {
		got = append(got, p.get(size))
	}
	assert.Equal(t, int64(16*size), p.Used())
	first := &got[0].Buf[0]
	p.put(got[0])
	again := p.get(size)
	assert.Same(t, first, &again.Buf[0], "a segment that came back is used again")
	got[0] = again

	for _, b := range got {
		p.put(b)
	}
	assert.Zero(t, p.Used())
	assert.Len(t, p.stock.free, (1<<20)/8/size, "an eighth of the budget waits")

	own := p.get(100_000)
	assert.Len(t, own.Buf, 100_000)
	p.Grow(1 << 20)
	assert.Zero(t, len(p.stock.free), "nothing waits when the budget is used up")
	p.put(own)
	p.Grow(-(1 << 20))

	p.put(p.get(size))
	p.Close()
	assert.Zero(t, len(p.stock.free))
}

// newDiskPool returns a pool for one shard with segments of 16 KiB.
func newDiskPool(t testing.TB, limit, diskLimit int64) *Pool {
	dir, err := OpenDirectory(t.TempDir())
	require.NoError(t, err)
	p := NewDiskPool(limit, diskLimit, 1)
	require.Equal(t, minSegmentSize, p.SegmentSize())
	assert.Zero(t, p.Disk())
	assert.Equal(t, diskLimit, p.DiskLimit())
	assert.EqualValues(t, math.MinInt64, p.OverDisk(0, 0), "there is no disk yet")
	p.Open(dir, Seed{1, 2}, 41)
	t.Cleanup(func() {
		p.Close()
		require.NoError(t, dir.Close())
	})
	return p
}

// Reserved bytes can be appended even if the disk fails meanwhile: the segments for all of it exist, whatever part of each stays
// empty because the next record does not fit.
func TestReserveMakesSegmentsAhead(t *testing.T) {
	const limit = 1_000_000
	for _, size := range []int{100, 2000, 3300, 4000} {
		t.Run(fmt.Sprintf("records of %d bytes", size), func(t *testing.T) {
			p := newDiskPool(t, limit, 4*limit)
			l := New(p, 0)
			defer l.Close()
			// Stragglers of ten segments are copied forward during appends, and need room as well.
			var stragglers, gone Chain
			o := origin("r", "s")
			for range 10 {
				require.NoError(t, p.Reserve(20_000, 0))
				l.Append(&stragglers, o, make([]byte, 1000))
				for sealed := l.Usage().Segments; l.Usage().Segments == sealed; {
					l.Append(&gone, o, make([]byte, 1000))
				}
				p.Cancel(20_000)
			}
			l.Release(&gone)

			records := 400_000 / size
			bytes := int64(records * (size + 20))
			require.NoError(t, p.Reserve(bytes, 0))
			assert.GreaterOrEqual(t, p.stock.len(), 2+2*int(bytes)/minSegmentSize)
			away := p.disk.Load().Path() + ".away"
			require.NoError(t, os.Rename(p.disk.Load().Path(), away))
			var c Chain
			for range records {
				l.Append(&c, o, make([]byte, size))
			}
			assert.Zero(t, p.Volatile())
			require.NoError(t, os.Rename(away, p.disk.Load().Path()))
			p.Cancel(bytes)
			l.Release(&c)
			l.Release(&stragglers)
		})
	}
}

// Each shard, and one more, has a ready segment, and two for every reserved one.
func TestStockFollowsWhatIsReserved(t *testing.T) {
	p := newDiskPool(t, 1_000_000, 4_000_000)
	for _, tc := range []struct{ bytes, stock int64 }{{0, 2}, {1, 2}, {8191, 2}, {8192, 3}, {16384, 4}, {5 * 16384, 12}} {
		require.NoError(t, p.Reserve(tc.bytes, 0))
		assert.EqualValues(t, tc.stock, p.stock.len(), "%d bytes", tc.bytes)
		p.Cancel(tc.bytes)
	}
	assert.Zero(t, p.Disk(), "what is ready is not in use")
	assert.Zero(t, p.Used())
}

// A request that exceeds an empty pool is permanently too large; one that just fits is not.
func TestReservationsThatNeverFit(t *testing.T) {
	large := func(err error) TooLargeError {
		var large *TooLargeError
		require.ErrorAs(t, err, &large)
		assert.False(t, errors.Is(err, ErrMemoryBudget) || errors.Is(err, ErrDiskBudget))
		return *large
	}
	memory := NewPool(1_000_000, 1)
	most := memory.ceiling
	assert.Equal(t, TooLargeError{Need: most + 1, Most: most}, large(memory.Reserve(most+1, 0)))
	require.NoError(t, memory.Reserve(most, 0))
	require.ErrorIs(t, memory.Reserve(1, 0), ErrMemoryBudget)

	disk := newDiskPool(t, 1_000_000, 10*minSegmentSize)
	assert.Equal(t, TooLargeError{OnDisk: true, Need: 8*minSegmentSize + 2, Most: 8 * minSegmentSize}, large(disk.Reserve(4*minSegmentSize+1, 0)))
	require.NoError(t, disk.Reserve(4*minSegmentSize, 0))
	disk.Cancel(4 * minSegmentSize)
	NewJournal(disk, 0, Names{}).Close()
	assert.EqualError(t, disk.Reserve(4*minSegmentSize, 0), "128.0KiB, and there is room for 112.0KiB at most")
	assert.Equal(t, TooLargeError{Need: 1_000_000, Most: disk.ceiling - minSegmentSize}, large(disk.Reserve(1_000_000, 0)))
	assert.Zero(t, disk.reserved.Load())
}

// A refused reservation leaves nothing reserved.
func TestRefusedReservations(t *testing.T) {
	p := newDiskPool(t, 1_000_000, 10*minSegmentSize)
	require.NoError(t, p.Reserve(0, 0))
	taken := p.get(minSegmentSize)
	assert.ErrorIs(t, p.Reserve(4*minSegmentSize, 0), ErrDiskBudget)
	assert.ErrorIs(t, p.Reserve(1, 11*minSegmentSize), ErrDiskBudget)
	assert.Zero(t, p.reserved.Load())
	p.Grow(900_000)
	assert.ErrorIs(t, p.Reserve(3*minSegmentSize, 0), ErrMemoryBudget)
	assert.Zero(t, p.reserved.Load())
	p.Grow(-900_000)
	p.put(taken)
	// Two segments, and two more for each reserved one.
	assert.NoError(t, p.Reserve(4*minSegmentSize, 0))
	assert.Equal(t, 10, p.stock.len())
	p.Cancel(4 * minSegmentSize)
}

// Use over a share includes reservations, on disk and in memory, each relative to what can be used there.
func TestOver(t *testing.T) {
	const segment = minSegmentSize
	p := newDiskPool(t, 1_000_000, 100*segment)
	memory := int64(1_000_000 - 3*segment) // one in use, two ready
	disk := int64(97 * segment)            // two for each shard, and one
	assert.Equal(t, memory, p.ceiling)
	assert.Equal(t, -memory/2, p.OverMemory(0, 0.5))
	assert.Equal(t, -disk, p.OverDisk(0, 1))
	require.NoError(t, p.Reserve(2*segment, 0))
	m := p.get(segment)
	assert.Equal(t, int64(3*segment+7)-memory, p.OverMemory(7, 1))
	assert.Equal(t, int64(3*segment+7)-disk/2, p.OverDisk(7, 0.5))
	assert.Equal(t, p.OverMemory(7, 1), p.Over(7, 1))
	assert.Equal(t, float64(3*segment)/float64(memory), p.Pressure())
	p.Grow(-900_000)
	assert.Equal(t, p.OverDisk(7, 1), p.Over(7, 1), "the disk is what is short")
	p.Grow(900_000)
	p.put(m)
	p.Cancel(2 * segment)
}

// Superseded files do not count as use.
func TestOverDiskPassesOverSupersededFiles(t *testing.T) {
	p := newDiskPool(t, 1_000_000, 100*minSegmentSize)
	p.TrackSync(func() {})
	before := p.OverDisk(0, 1)
	supersede(p, p.get(minSegmentSize))
	assert.Equal(t, before, p.OverDisk(0, 1))
	assert.EqualValues(t, minSegmentSize, p.Disk())
	assert.Zero(t, p.Used())
	require.NoError(t, p.Sync())
	assert.Equal(t, before, p.OverDisk(0, 1))
	assert.Zero(t, p.Disk())
}

// Records of a quarter of a segment, with their origin, have segments of their own.
func TestIsLarge(t *testing.T) {
	p := NewPool(1_000_000, 1)
	assert.False(t, p.IsLarge(minSegmentSize/4-60))
	assert.True(t, p.IsLarge(minSegmentSize/4-59))
	l := New(p, 0)
	defer l.Close()
	var c Chain
	o := origin("", "")
	l.Append(&c, o, make([]byte, minSegmentSize/4-60))
	assert.Equal(t, 1, l.Usage().Segments)
	l.Append(&c, o, make([]byte, minSegmentSize/4-59))
	assert.Equal(t, 2, l.Usage().Segments)
	l.AppendCopy(&c, o, make([]byte, minSegmentSize/4-68), 1, 0)
	assert.Equal(t, 2, l.Usage().Segments)
	l.AppendCopy(&c, o, make([]byte, minSegmentSize/4-67), 1, 0)
	assert.Equal(t, 3, l.Usage().Segments)
}

// Headers get sequences above the highest existing one.
func TestHeadersAreNumbered(t *testing.T) {
	p := newDiskPool(t, 1_000_000, 4_000_000)
	want := format.Header{Shard: 3, Sequence: 43, Created: 1000, Seed: Seed{1, 2}, Shards: 1, Size: 77}
	assert.Equal(t, want, p.header(3, 1000, 77))
	want.Sequence++
	assert.Equal(t, want, p.header(3, 1000, 77))
	assert.EqualValues(t, 2, NewPool(1_000_000, 1).header(0, 0, 0).Sequence, "0 is no segment, 1 is before the first")
}

// Of returned segments an eighth of the budget stays free, mapped or not; on disk at least one per shard and one more.
func TestDiskPoolTrims(t *testing.T) {
	p := newDiskPool(t, 1_000_000, 100*minSegmentSize)
	var all []mapped.Memory
	for range 20 {
		all = append(all, p.get(minSegmentSize))
	}
	assert.EqualValues(t, 20*minSegmentSize, p.Used())
	assert.EqualValues(t, 20*minSegmentSize, p.Disk())
	for _, m := range all {
		p.put(m)
	}
	assert.Equal(t, 1_000_000/8/minSegmentSize, p.stock.len())
	assert.EqualValues(t, 1_000_000/8/minSegmentSize*minSegmentSize, p.disk.Load().FreeBytes())
	p.Grow(1_000_000)
	assert.Equal(t, 2, p.stock.len())
	p.Grow(-1_000_000)
	assert.Zero(t, p.Disk())
	p.Close()
	assert.Zero(t, p.stock.len())
	assert.Zero(t, p.disk.Load().Used())
}

// Compaction can use one segment beyond Reserve's, if the disk budget has room for it.
func TestSpare(t *testing.T) {
	memory := NewPool(1_000_000, 1)
	assert.True(t, hasSpare(memory))
	p := newDiskPool(t, 1_000_000, 3*minSegmentSize)
	assert.True(t, hasSpare(p))
	assert.Equal(t, 1, p.stock.len())
	assert.True(t, hasSpare(p))
	assert.Equal(t, 2, p.stock.len())
	assert.True(t, hasSpare(p))
	assert.Equal(t, 2, p.stock.len(), "there is one already")
	a, b := p.get(minSegmentSize), p.get(minSegmentSize)
	assert.True(t, hasSpare(p))
	assert.False(t, hasSpare(p), "the budget is used up")
	p.put(a)
	p.put(b)
}

// Used and free segments together are bounded, even if free segments are promised.
func TestFreeSegmentsAreBounded(t *testing.T) {
	const limit, segment = 1_000_000, int64(minSegmentSize)
	for _, tc := range []struct{ reserved, want int64 }{ // the largest number that is held
		{0, limit},
		{segment, limit},
		{2 * segment, limit + segment},
		{20 * segment, limit + 19*segment},
	} {
		t.Run(fmt.Sprintf("%d reserved", tc.reserved/segment), func(t *testing.T) {
			p := newDiskPool(t, limit, 4*limit)
			held := func() int64 { return p.Used() + int64(p.stock.len())*segment }
			require.Equal(t, tc.want, max(limit, limit-segment*int64(p.shards)+tc.reserved))
			most := int64(0)
			for _, free := range []int64{p.ceiling - tc.reserved, 10 * segment, segment, segment / 2, 1, 0} {
				used := p.ceiling - tc.reserved - free
				p.Grow(used)
				require.NoError(t, p.Reserve(tc.reserved, 0))
				most = max(most, held())
				var all []mapped.Memory
				for range 12 {
					all = append(all, p.get(minSegmentSize))
				}
				for _, m := range all {
					p.put(m)
				}
				most = max(most, held())
				p.Cancel(tc.reserved)
				p.Grow(1)
				require.LessOrEqual(t, held(), int64(limit), "nothing is promised any more")
				p.Grow(-used - 1)
			}
			assert.LessOrEqual(t, most, tc.want)
			assert.Greater(t, most, tc.want-segment)
		})
	}
}
