// Package memo remembers results of predicates over strings.
package memo

import (
	"hash/maphash"
	"math/bits"
	"sync/atomic"
)

// Cache remembers which of the last strings matched. It is a table of 64-bit words without locks or pointers: a word is
// 63 bits of the string's hash and the result, and each string has one place in it.
//
// Two strings with the same 63 bits would be confused. The seed is random in each process, so that no client can
// construct such strings; by chance it happens once in 2^63 look-ups of an absent string, which is once in centuries.
type Cache struct {
	seed  maphash.Seed
	slots []atomic.Uint64
}

const (
	defaultCacheSize = 128
	maxCacheSize     = 1 << 20 // 8 MiB
)

// New returns a cache of size results, rounded down to a power of two.
func New(size int) *Cache {
	if size <= 0 {
		size = defaultCacheSize
	}
	size = min(size, maxCacheSize)
	return &Cache{seed: maphash.MakeSeed(), slots: make([]atomic.Uint64, 1<<(bits.Len(uint(size))-1))}
}

// Hash returns the key of s in this cache.
func (c *Cache) Hash(s []byte) uint64 {
	return maphash.Bytes(c.seed, s) | matched // never 0, which marks an empty slot
}

// matched is the bit of a word that holds the result.
const matched = 1

func (c *Cache) slot(hash uint64) *atomic.Uint64 {
	return &c.slots[hash>>1&uint64(len(c.slots)-1)]
}

// Get returns the result for a hash, if it is remembered.
func (c *Cache) Get(hash uint64) (result, known bool) {
	switch c.slot(hash).Load() {
	case hash:
		return true, true
	case hash &^ matched:
		return false, hash != matched
	}
	return false, false
}

// Put remembers the result for a hash.
func (c *Cache) Put(hash uint64, result bool) {
	if !result {
		hash &^= matched
	}
	c.slot(hash).Store(hash)
}
