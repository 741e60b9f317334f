package stateful

import (
	"math/bits"
	"strings"
	"sync"
	"sync/atomic"
)

// keyTexts remembers the readable form of keys by their hashes: the latest, at most limit of them. Its methods may be
// called concurrently.
//
// It has two generations. A key that is seen enters the recent generation. When that has half of the limit, it becomes the
// older one, and the previous older one is dropped. Most keys come again and again: a table without a lock knows those in
// the recent generation.
type keyTexts struct {
	limit int
	known []atomic.Uint64

	mu            sync.Mutex
	recent, older map[uint64]string
}

const maxKnown = 1 << 14 // 128 KiB

func newKeyTexts(limit int) *keyTexts {
	size := 1 << bits.Len(uint(min(limit, maxKnown/2)))
	return &keyTexts{limit: limit, known: make([]atomic.Uint64, size), recent: map[uint64]string{}}
}

// add remembers a text. Its hash must not be 0.
func (k *keyTexts) add(hash uint64, text []byte) {
	slot := &k.known[hash&uint64(len(k.known)-1)]
	if slot.Load() == hash {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, there := k.recent[hash]; !there {
		if len(k.recent) >= max(1, k.limit/2) {
			k.older, k.recent = k.recent, map[uint64]string{}
			for i := range k.known {
				k.known[i].Store(0)
			}
		}
		s, there := k.older[hash]
		if !there {
			s = strings.ToValidUTF8(string(text), "\ufffd")
		}
		k.recent[hash] = s
	}
	slot.Store(hash)
}

func (k *keyTexts) of(hash uint64) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s, there := k.recent[hash]; there {
		return s
	}
	return k.older[hash]
}
