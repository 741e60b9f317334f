package index

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"github.com/slowburn/slowburn/internal/wire"
)

// Seed makes the hashes of trace IDs unpredictable, so that no client can choose IDs that collide. It has no influence
// on decisions. It is stored with the files, so that a trace's shard stays the same.
type Seed [2]uint64

// NewSeed returns a random seed.
func NewSeed() Seed { return Seed{rand.Uint64(), rand.Uint64()} }

// Hash hashes any trace ID evenly, also one with only 64 random bits. Its high 32 bits choose the shard, its low 32
// the place in tables.
func (s Seed) Hash(id wire.TraceID) uint64 {
	const odd, other = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
	hi, lo := bits.Mul64(
		binary.LittleEndian.Uint64(id[:8])^s[0],
		binary.LittleEndian.Uint64(id[8:])^s[1])
	hi, lo = bits.Mul64(hi^lo^odd, s[0]^other) // once is not enough where few bits of the ID differ
	return hi ^ lo
}

// ShardOf maps a hash to one of n shards.
func ShardOf(hash uint64, n int) int { return int((hash >> 32) * uint64(n) >> 32) }
