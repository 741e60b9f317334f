// Package lookup finds values by the hash of a text, without a lock. Its types are Table, Cell and Key.
//
// A change of a Table needs a lock of its owner's; a removal also needs that nobody reads meanwhile.
package lookup

import (
	"math/rand/v2"
	"sync/atomic"

	"github.com/zeebo/xxh3"
)

// Key stands for a text. Two texts with one key are taken for one: at 128 bits, under a seed that nobody knows, no two are.
type Key struct{ low, high uint64 }

// KeyOf hashes a text under the seed of where it is looked for.
func KeyOf(text []byte, seed uint64) Key {
	h := xxh3.Hash128Seed(text, seed)
	if h.Lo == 0 {
		h.Lo = 1 // a cell with 0 is empty
	}
	return Key{h.Lo, h.Hi}
}

// NewSeed returns a seed that nobody knows.
func NewSeed() uint64 { return rand.Uint64() }

// Table finds a T by its key. Find and its like may be called at any time, also while an Insert goes on.
type Table[T any] struct {
	cells atomic.Pointer[[]Cell[T]] // a power of two, at most half of them taken
	used  int
}

// Cell is an entry of a table.
type Cell[T any] struct {
	low   atomic.Uint64 // 0 while the cell is empty; stored last
	high  uint64
	Value *T
	// Number and Tag are the caller's, who must not change them while others read.
	Number, Tag uint32
}

const minCells = 16

// New returns an empty table.
func New[T any]() *Table[T] {
	t := new(Table[T])
	cells := make([]Cell[T], minCells)
	t.cells.Store(&cells)
	return t
}

// Find returns the cell of a key, nil where there is none.
func (t *Table[T]) Find(k Key) *Cell[T] {
	cells := *t.cells.Load()
	mask := uint64(len(cells) - 1)
	for i := k.low & mask; ; i = (i + 1) & mask {
		c := &cells[i]
		switch c.low.Load() {
		case k.low:
			if c.high == k.high {
				return c
			}
		case 0:
			return nil
		}
	}
}

// Touch reads the cells that keys are most likely in, so that Find has them at hand. It returns a number without meaning, for
// the caller to keep: else the reads were dead code.
func (t *Table[T]) Touch(keys []Key) (read uint64) {
	cells := *t.cells.Load()
	mask := uint64(len(cells) - 1)
	for i := range keys {
		read += cells[keys[i].low&mask].low.Load()
	}
	return read
}

// Likely is a Find that looks at one cell only: it may miss an entry.
func (t *Table[T]) Likely(k Key) *T {
	cells := *t.cells.Load()
	if c := &cells[k.low&uint64(len(cells)-1)]; c.low.Load() == k.low && c.high == k.high {
		return c.Value
	}
	return nil
}

// Insert adds a key that is not in the table.
func (t *Table[T]) Insert(k Key, value *T, number, tag uint32) {
	cells := *t.cells.Load()
	if t.used++; 2*t.used > len(cells) {
		grown := make([]Cell[T], 2*len(cells))
		for i := range cells {
			if c := &cells[i]; c.low.Load() != 0 {
				put(grown, Key{c.low.Load(), c.high}, c.Value, c.Number, c.Tag)
			}
		}
		put(grown, k, value, number, tag)
		t.cells.Store(&grown)
		return
	}
	put(cells, k, value, number, tag)
}

func put[T any](cells []Cell[T], k Key, value *T, number, tag uint32) {
	mask := uint64(len(cells) - 1)
	i := k.low & mask
	for cells[i].low.Load() != 0 {
		i = (i + 1) & mask
	}
	c := &cells[i]
	c.high, c.Value, c.Number, c.Tag = k.high, value, number, tag
	c.low.Store(k.low)
}

// Remove takes a key out, and moves back those behind it that it stood in the way of.
func (t *Table[T]) Remove(k Key) {
	cells := *t.cells.Load()
	mask := uint64(len(cells) - 1)
	gap := k.low & mask
	for cells[gap].low.Load() != k.low || cells[gap].high != k.high {
		if cells[gap].low.Load() == 0 {
			return
		}
		gap = (gap + 1) & mask
	}
	t.used--
	for i := (gap + 1) & mask; cells[i].low.Load() != 0; i = (i + 1) & mask {
		home := cells[i].low.Load() & mask
		if (i-home)&mask < (i-gap)&mask {
			continue // its home is behind the gap
		}
		c := &cells[gap]
		c.high, c.Value, c.Number, c.Tag = cells[i].high, cells[i].Value, cells[i].Number, cells[i].Tag
		c.low.Store(cells[i].low.Load())
		gap = i
	}
	c := &cells[gap]
	c.low.Store(0)
	c.high, c.Value, c.Number, c.Tag = 0, nil, 0, 0
}

// Sweep removes the values that are over.
func (t *Table[T]) Sweep(over func(*T) bool) {
	var keys []Key
	cells := *t.cells.Load()
	for i := range cells {
		if c := &cells[i]; c.low.Load() != 0 && over(c.Value) {
			keys = append(keys, Key{c.low.Load(), c.high})
		}
	}
	for _, k := range keys {
		t.Remove(k)
	}
}
