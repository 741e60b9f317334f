package quota

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// woken reports whether the sender was woken since the last call.
func woken(wake chan struct{}) bool {
	select {
	case <-wake:
		return true
	default:
		return false
	}
}

func senders(n int) (all []chan struct{}) {
	for range n {
		all = append(all, make(chan struct{}, 1))
	}
	return all
}

// A destination without a share gets what it asks for; one with a share gets more only from free memory.
func TestSharesAreLimited(t *testing.T) {
	q, s := New(100, 2), senders(4)
	assert.True(t, q.Take(0, 70, s[0]))
	assert.False(t, q.Take(0, 40, s[1]))
	assert.True(t, q.Take(1, 1000, s[2]), "it has nothing")
	assert.False(t, q.Take(1, 1, s[3]))
	assert.False(t, woken(s[1]) && q.Take(0, 40, s[1]), "there is still nothing")
	q.Return(1, 1000)
	assert.True(t, woken(s[3]) && q.Take(1, 1, s[3]))
	q.Return(0, 70)
	assert.True(t, woken(s[1]) && q.Take(0, 40, s[1]))
}

// Senders of a destination get shares in their order, even if a later one needs less; one that leaves is skipped.
func TestInOrder(t *testing.T) {
	q, s := New(100, 1), senders(4)
	require.True(t, q.Take(0, 60, s[0]))
	assert.False(t, q.Take(0, 50, s[1]))
	assert.False(t, q.Take(0, 10, s[2]), "it would keep the first out")
	assert.False(t, q.Take(0, 10, s[3]))
	q.Cancel(0, s[1])
	assert.True(t, woken(s[2]) && q.Take(0, 10, s[2]))
	assert.True(t, woken(s[3]) && q.Take(0, 10, s[3]), "whoever got a share lets the next try")
	q.Force(0, 500)
	assert.False(t, q.Take(0, 1, s[1]))
	q.Return(0, 500)
	assert.True(t, q.Take(0, 1, s[1]))
}

// Every sender that asks, and asks again when woken, eventually gets a share if shares are given back; then everything is free again.
func TestNoSenderStarves(t *testing.T) {
	const destinations, each, rounds = 3, 4, 2000
	rng := rand.New(rand.NewPCG(1, 2))
	q, s := New(100, destinations), senders(destinations*each)
	held, got := make([]int64, len(s)), make([]int, len(s))
	asks := make([]int64, len(s))
	for i := range asks {
		asks[i] = 1 + rng.Int64N(300)
	}
	for range rounds {
		i := rng.IntN(len(s))
		if held[i] > 0 {
			q.Return(i%destinations, held[i])
			held[i] = 0
			continue
		}
		if q.Take(i%destinations, asks[i], s[i]) {
			held[i] = asks[i]
			got[i]++
		}
	}
	for i := range s {
		assert.Greater(t, got[i], rounds/len(s)/20, "sender %d, for %d", i, asks[i])
		if held[i] > 0 {
			q.Return(i%destinations, held[i])
		}
		q.Cancel(i%destinations, s[i])
	}
	assert.EqualValues(t, 100, q.free)
	assert.Zero(t, q.users[0].shares)
}
