package contrib

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// contrib's limits have 64 bits of precision.
func TestHashLimit(t *testing.T) {
	for share, want := range map[float64]uint64{
		0: 0, 1: math.MaxUint64, 2.5: math.MaxUint64,
		0.5: 0x7fffffffffffffff, 0.25: 0x3fffffffffffffff, 0.75: 0xbfffffffffffffff, 0.1: 0x19999999999999ff,
	} {
		require.Equal(t, want, hashLimit(share), share)
	}
}

// The FNV-1a hash of salt and trace ID decides, the limit included.
func TestHashed(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, salt := range []string{"", "pepper"} {
		sampled := 0
		for range 2000 {
			trace := &rule.Trace{}
			binary.BigEndian.PutUint64(trace.ID[:8], rng.Uint64())
			binary.BigEndian.PutUint64(trace.ID[8:], rng.Uint64())
			hash := fnv.New64a()
			hash.Write([]byte(cmp.Or(salt, "default-hash-seed")))
			hash.Write(trace.ID[:])
			th, ok := NewHashed(salt, 25).Match(trace)
			require.Zero(t, th)
			require.Equal(t, hash.Sum64() <= 0x3fffffffffffffff, ok)
			if ok {
				sampled++
			}
			h := NewHashed(salt, 25)
			h.limit = hash.Sum64()
			_, ok = h.Match(trace)
			require.True(t, ok)
			h.limit--
			_, ok = h.Match(trace)
			require.False(t, ok)
		}
		require.InDelta(t, 500, sampled, 80)
	}
}
