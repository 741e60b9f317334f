package tailsampling

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"github.com/slowburn/slowburn/internal/wire"
)

// seed makes hashes of trace IDs that nobody outside can foresee, so that nobody can choose IDs that collide. It has no
// influence on decisions.
type seed [2]uint64

func newSeed() seed { return seed{rand.Uint64(), rand.Uint64()} }

// hash spreads any kind of ID, such as those with 64 random bits only. Its high 32 bits choose the shard, its low 32
// the place in tables.
func (s seed) hash(id wire.TraceID) uint64 {
	hi, lo := bits.Mul64(
		binary.LittleEndian.Uint64(id[:8])^s[0],
		binary.LittleEndian.Uint64(id[8:])^s[1])
	return (hi ^ lo) * 0x9e3779b97f4a7c15
}

// shardOf maps a hash to one of n shards.
func shardOf(hash uint64, n int) int { return int((hash >> 32) * uint64(n) >> 32) }
