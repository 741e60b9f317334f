package randomness

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/wire"
)

// The share in percent of IDs that are not random.
func TestSuspect(t *testing.T) {
	random := func(rng *rand.Rand, _ int) (id wire.TraceID) {
		binary.BigEndian.PutUint64(id[:8], rng.Uint64())
		binary.BigEndian.PutUint64(id[8:], rng.Uint64())
		return id
	}
	with := func(change func(id *wire.TraceID, n int)) func(*rand.Rand, int) wire.TraceID {
		return func(rng *rand.Rand, n int) wire.TraceID {
			id := random(rng, n)
			change(&id, n)
			return id
		}
	}
	zeros := with(func(id *wire.TraceID, _ int) { clear(id[8:]) })
	for name, c := range map[string]struct {
		ids  func(*rand.Rand, int) wire.TraceID
		from int // the number of traces after which it is noticed; 0 is never
	}{
		"random":                   {random, 0},
		"random with 64 bits":      {with(func(id *wire.TraceID, _ int) { clear(id[:8]) }), 0},
		"time in front, as X-Ray":  {with(func(id *wire.TraceID, n int) { binary.BigEndian.PutUint32(id[:], 1_790_000_000+uint32(n)) }), 0},
		"all in the first 8 bytes": {zeros, least},
		"a counter":                {with(func(id *wire.TraceID, n int) { binary.BigEndian.PutUint64(id[8:], uint64(n)) }), least},
		"nanoseconds": {with(func(id *wire.TraceID, n int) {
			binary.BigEndian.PutUint64(id[8:], 1_790_000_000_000_000_000+uint64(n)*1e6)
		}), least},
		"a random bit, then zeros":  {with(func(id *wire.TraceID, _ int) { id[9] &= 0x80; clear(id[10:]) }), least},
		"8 random bits, then zeros": {with(func(id *wire.TraceID, _ int) { clear(id[10:]) }), least},
		"a constant below 6 bits":   {with(func(id *wire.TraceID, _ int) { id[9] |= 3; id[10] |= 0xf0 }), least},
		"one in twenty": {func(rng *rand.Rand, n int) wire.TraceID {
			if n%20 == 0 {
				return zeros(rng, n)
			}
			return random(rng, n)
		}, window},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				var counts [2]Counts
				rng := rand.New(rand.NewPCG(seed, 9))
				for n := range window {
					id := c.ids(rng, n)
					counts[n%2].Observe(&id)
					if n+1 == least-1 || n+1 == c.from || n+1 == window {
						sum := counts[0]
						sum.Add(&counts[1])
						require.Equal(t, n+1 == window, sum.Full())
						traces, example, found := sum.Suspect()
						require.Equal(t, c.from > 0 && n+1 >= c.from, found, "after %d", n+1)
						if found {
							require.Positive(t, traces)
							require.NotZero(t, example)
						}
					}
				}
			}
		})
	}
}

func TestWatchSaysItOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		w := Watch{Logger: zap.New(core)}
		var good, bad Counts
		for n := range 200 {
			bad.Observe(&wire.TraceID{byte(n)})
			good.Observe(&wire.TraceID{9: byte(n * 37), 10: byte(n * 101)})
		}
		w.Judge(&good)
		require.Zero(t, logs.Len())
		for range 3 {
			w.Judge(&bad)
		}
		require.Equal(t, 1, logs.Len())
		assert.Equal(t, map[string]any{"alike": int64(200), "of_traces": int64(200), "example": "c7000000000000000000000000000000"},
			logs.All()[0].ContextMap())
		time.Sleep(sayEvery)
		w.Judge(&bad)
		require.Equal(t, 2, logs.Len())
	})
}
