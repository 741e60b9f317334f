package tailsampling

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/wire"
)

func wireID(n int) wire.TraceID { return wire.TraceID(traceID(n)) }

// A memory remembers exactly the latest decisions, as many as its limit.
func TestMemoryIsAFIFO(t *testing.T) {
	for _, limit := range []int{1, 7, 64, 1000} {
		m := memory{limit: limit, seed: newSeed(), weighted: true}
		for n := range 3000 {
			id := wireID(n)
			m.put(uint32(m.seed.hash(id)), remembered{id: id, policy: int32(n), at: uint32(n)}, weight{uint64(n), uint64(2 * n)})
			for _, back := range []int{0, limit / 2, limit - 1, limit, limit + 1} {
				if n-back < 0 {
					continue
				}
				id := wireID(n - back)
				r, w, found := m.find(uint32(m.seed.hash(id)), &id)
				require.Equal(t, back < limit, found, "limit %d, %d of %d", limit, n-back, n)
				if found {
					require.Equal(t, remembered{id: id, policy: int32(n - back), at: uint32(n - back)}, r)
					require.Equal(t, weight{uint64(n - back), uint64(2 * (n - back))}, w)
				}
			}
		}
		assert.Len(t, m.ring, limit)
		assert.Equal(t, limit, m.table.Len())
	}
}

func TestMemoryOfNothing(t *testing.T) {
	m := memory{seed: newSeed()}
	id := wireID(1)
	m.put(1, remembered{id: id}, weight{})
	_, _, found := m.find(1, &id)
	assert.False(t, found)
}

func TestMemoryTellsIDsWithOneHashApart(t *testing.T) {
	m := memory{limit: 10, seed: newSeed()}
	a, b, c := wireID(1), wireID(2), wireID(3)
	m.put(5, remembered{id: a, policy: 1}, weight{})
	m.put(5, remembered{id: b, policy: 2}, weight{})
	r, _, found := m.find(5, &b)
	assert.True(t, found)
	assert.Equal(t, int32(2), r.policy)
	_, _, found = m.find(5, &c)
	assert.False(t, found)
}

func BenchmarkMemoryPut(b *testing.B) {
	m := memory{limit: 1 << 16, seed: newSeed()}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		id := wireID(n)
		m.put(uint32(m.seed.hash(id)), remembered{id: id}, weight{})
		n++
	}
}

// Trace IDs of which only some bytes are random, as some systems make them, are spread over all shards and tables.
func TestHashSpreadsPoorIDs(t *testing.T) {
	for name, fill := range map[string]func(id *wire.TraceID, n int){
		"low":     func(id *wire.TraceID, n int) { id[15], id[14], id[13] = byte(n), byte(n>>8), byte(n>>16) },
		"high":    func(id *wire.TraceID, n int) { id[0], id[1], id[2] = byte(n), byte(n>>8), byte(n>>16) },
		"time":    func(id *wire.TraceID, n int) { id[3], id[4], id[8] = byte(n), byte(n>>8), byte(n>>3) },
		"repeats": func(id *wire.TraceID, n int) { id[0], id[8], id[1], id[9] = byte(n), byte(n), byte(n>>8), byte(n>>8) },
	} {
		seed := newSeed()
		const ids, shards = 1 << 16, 16
		var perShard [shards]int
		low := map[uint32]int{}
		for n := range ids {
			var id wire.TraceID
			fill(&id, n)
			h := seed.hash(id)
			perShard[shardOf(h, shards)]++
			low[uint32(h)&0xffff]++
		}
		for i, n := range perShard {
			assert.InDelta(t, ids/shards, n, ids/shards/4, "%s: shard %d", name, i)
		}
		assert.Greater(t, len(low), ids/2, "%s: cells of a table", name)
	}
}

func TestLists(t *testing.T) {
	var s entries
	l := list{kind: byQuiet}
	var model []uint32
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		switch k := rnd.IntN(3); {
		case k == 0:
			n, _ := s.New()
			l.pushBack(&s, n)
			model = append(model, n)
		case k == 1 && len(model) < 50:
			n, _ := s.New()
			l.pushFront(&s, n)
			model = append([]uint32{n}, model...)
		case len(model) > 0:
			i := rnd.IntN(len(model))
			l.remove(&s, model[i])
			s.Free(model[i])
			model = append(model[:i:i], model[i+1:]...)
		}
		var got []uint32
		for n := l.head; n != 0; n = l.next(&s, n) {
			got = append(got, n)
		}
		require.Equal(t, len(model), len(got))
		if len(model) > 0 {
			require.Equal(t, model, got)
			require.Equal(t, model[len(model)-1], l.tail)
		}
		require.Equal(t, len(model) == 0, l.empty())
	}
}

func TestBitTable(t *testing.T) {
	table := bitTable{words: 3}
	for n := uint32(1); n < 1000; n++ {
		bits := table.reset(n)
		require.Equal(t, []uint64{0, 0, 0}, bits)
		bits[0], bits[2] = uint64(n), uint64(n)
	}
	for n := uint32(1); n < 1000; n++ {
		require.Equal(t, []uint64{uint64(n), 0, uint64(n)}, table.at(n))
	}
	assert.Equal(t, []uint64{0, 0, 0}, table.reset(500))
	assert.Equal(t, 4*256*3*8, table.bytes())
}
