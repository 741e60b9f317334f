package spanlog

import (
	"runtime/debug"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/mapped"
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

// What lives on the Go heap is counted with the garbage that may come on top.
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
