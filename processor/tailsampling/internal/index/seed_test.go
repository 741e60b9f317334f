package index

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/internal/wire"
)

// Trace IDs of which only some bytes are random, as some systems make them, are spread over all shards and tables.
func TestHashSpreadsPoorIDs(t *testing.T) {
	for name, fill := range map[string]func(id *wire.TraceID, n int){
		"low":     func(id *wire.TraceID, n int) { id[15], id[14], id[13] = byte(n), byte(n>>8), byte(n>>16) },
		"high":    func(id *wire.TraceID, n int) { id[0], id[1], id[2] = byte(n), byte(n>>8), byte(n>>16) },
		"time":    func(id *wire.TraceID, n int) { id[3], id[4], id[8] = byte(n), byte(n>>8), byte(n>>3) },
		"repeats": func(id *wire.TraceID, n int) { id[0], id[8], id[1], id[9] = byte(n), byte(n), byte(n>>8), byte(n>>8) },
	} {
		seed := NewSeed()
		const ids, shards = 1 << 16, 16
		var perShard [shards]int
		low := map[uint32]int{}
		for n := range ids {
			var id wire.TraceID
			fill(&id, n)
			h := seed.Hash(id)
			perShard[ShardOf(h, shards)]++
			low[uint32(h)&0xffff]++
		}
		for i, n := range perShard {
			assert.InDelta(t, ids/shards, n, ids/shards/4, "%s: shard %d", name, i)
		}
		assert.Greater(t, len(low), ids/2, "%s: cells of a table", name)
	}
}

// Equal IDs have one hash under one seed, and different ones under others.
func TestHashGoesByTheSeed(t *testing.T) {
	id := wire.TraceID{1, 2, 3}
	a, b := Seed{1, 2}, Seed{3, 4}
	assert.Equal(t, a.Hash(id), a.Hash(id))
	assert.NotEqual(t, a.Hash(id), b.Hash(id))
	assert.NotEqual(t, NewSeed(), NewSeed())
	assert.Equal(t, uint64(0xc9d874ca57d9e055), Seed{}.Hash(wire.TraceID{}), "files lean on it")
}
