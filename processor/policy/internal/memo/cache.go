// Package memo remembers results of predicates over strings.
package memo

import (
	"hash/maphash"
	"math/bits"
	"sync/atomic"
)

// Cache remembers which of the last strings matched. It is a table of 64-bit words without locks or pointers: a
// word is 63 bits of the string's hash and the result, and a string has one place where it can be.
//
// Two strings of the same 63 bits would be taken for each other. The seed is random in each process, so nobody can make
// such strings; by chance it happens once in 2^63 look-ups of a string that is not there, which is once in centuries.
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

// Hash returns what stands for s in this cache.
func (c *Cache) Hash(s []byte) uint64 {
	return maphash.Bytes(c.seed, s) | matched // so that it is never the 0 of an empty slot
}

// matched is the bit of a word that is the result.
const matched = 1

func (c *Cache) slot(hash uint64) *atomic.Uint64 {
	return &c.slots[hash>>1&uint64(len(c.slots)-1)]
}

// Get returns the result for what has this hash, if it is remembered.
func (c *Cache) Get(hash uint64) (result, known bool) {
	switch c.slot(hash).Load() {
	case hash:
		return true, true
	case hash &^ matched:
		return false, hash != matched
	}
	return false, false
}

// Put remembers the result for what has this hash.
func (c *Cache) Put(hash uint64, result bool) {
	if !result {
		hash &^= matched
	}
	c.slot(hash).Store(hash)
}
