package decision

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

func traceID(n int) (id wire.TraceID) {
	binary.BigEndian.PutUint64(id[8:], uint64(n+1))
	return id
}

// A memory holds exactly the latest decisions of either verdict, up to its limits.
func TestMemoryIsAFIFO(t *testing.T) {
	for _, limit := range []int{1, 7, 64, 1000} {
		seed := index.NewSeed()
		m := NewMemory(limit, 2*limit, &seed)
		require.Equal(t, 3*limit, m.Limit())
		decide := func(n int, v policy.Verdict) {
			id := traceID(n)
			m.Remember(uint32(seed.Hash(id)), Remembered{ID: id, Policy: int32(n), At: Seconds(n)}, v, Weight{uint64(n), uint64(2 * n)})
		}
		for n := range 3000 {
			decide(2*n, policy.Sampled)
			decide(2*n+1, []policy.Verdict{policy.NotSampled, policy.Dropped}[n%2])
			for _, back := range []int{0, limit / 2, limit - 1, limit, limit + 1, 2*limit - 1, 2 * limit} {
				if n-back < 0 {
					continue
				}
				kept, notKept := traceID(2*(n-back)), traceID(2*(n-back)+1)
				r, w, found := m.Sampled(uint32(seed.Hash(kept)), &kept)
				require.Equal(t, back < limit, found, "limit %d, %d of %d", limit, n-back, n)
				if found {
					require.Equal(t, Remembered{ID: kept, Policy: int32(2 * (n - back)), At: Seconds(2 * (n - back))}, r)
					require.Equal(t, Weight{uint64(2 * (n - back)), uint64(4 * (n - back))}, w)
				}
				r, found = m.NotKept(uint32(seed.Hash(notKept)), &notKept)
				require.Equal(t, back < 2*limit, found)
				if found {
					require.Equal(t, notKept, r.ID)
				}
				_, found = m.NotKept(uint32(seed.Hash(kept)), &kept)
				require.False(t, found)
			}
		}
	}
}

func TestMemoryOfNothing(t *testing.T) {
	seed := index.NewSeed()
	m, id := NewMemory(0, 0, &seed), traceID(1)
	m.Remember(1, Remembered{ID: id}, policy.Sampled, Weight{})
	m.Remember(1, Remembered{ID: id}, policy.Dropped, Weight{})
	_, _, sampled := m.Sampled(1, &id)
	_, notKept := m.NotKept(1, &id)
	assert.False(t, sampled || notKept)
}

func TestMemoryTellsIDsWithOneHashApart(t *testing.T) {
	seed := index.NewSeed()
	m := NewMemory(10, 10, &seed)
	a, b, c := traceID(1), traceID(2), traceID(3)
	for _, v := range []policy.Verdict{policy.Sampled, policy.Dropped} {
		m.Remember(5, Remembered{ID: a, Policy: 1}, v, Weight{})
		m.Remember(5, Remembered{ID: b, Policy: 2}, v, Weight{})
	}
	r, _, found := m.Sampled(5, &b)
	assert.True(t, found)
	assert.Equal(t, int32(2), r.Policy)
	r, found = m.NotKept(5, &b)
	assert.True(t, found)
	assert.Equal(t, int32(2), r.Policy)
	_, _, found = m.Sampled(5, &c)
	assert.False(t, found)
	_, found = m.NotKept(5, &c)
	assert.False(t, found)
}

func BenchmarkRemember(b *testing.B) {
	seed := index.NewSeed()
	m := NewMemory(1<<16, 0, &seed)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		id := traceID(n)
		m.Remember(uint32(seed.Hash(id)), Remembered{ID: id}, policy.Sampled, Weight{})
		n++
	}
}

func TestSecondsInMilliseconds(t *testing.T) {
	assert.Equal(t, clock.UnixMilli(0), Seconds(0).UnixMilli())
	assert.Equal(t, clock.UnixMilli(4294967295000), Seconds(1<<32-1).UnixMilli())
}
