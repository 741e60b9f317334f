package count

import (
	"math/rand/v2"
	"sync/atomic"

	"github.com/zeebo/xxh3"
)

// key stands for a text. Two texts with one key are taken for one: at 128 bits, from a seed that nobody knows, no two are.
type key struct{ lo, hi uint64 }

// keyOf hashes a text under the seed of where it is looked for.
func keyOf(text []byte, seed uint64) key {
	h := xxh3.Hash128Seed(text, seed)
	if h.Lo == 0 {
		h.Lo = 1 // a cell with 0 is empty
	}
	return key{h.Lo, h.Hi}
}

// table finds a T by its key without a lock. Whoever changes it holds Counter.mu; whoever removes from it holds all stripes
// as well, so that nobody reads meanwhile.
type table[T any] struct {
	cells atomic.Pointer[[]cell[T]] // a power of two, at most half of them taken
	used  int
}

// cell is an entry of a table. It is written once, lo last, and until it is removed only its number is changed after that.
type cell[T any] struct {
	lo    atomic.Uint64 // 0 while the cell is empty
	hi    uint64
	value *T
	// number is of the series that most spans with this key count in, and tag says which spans those are. See operation.
	number, tag uint32
}

const minCells = 16

func newTable[T any]() *table[T] {
	t := new(table[T])
	cells := make([]cell[T], minCells)
	t.cells.Store(&cells)
	return t
}

// find returns the cell of a key, nil where there is none.
func (t *table[T]) find(k key) *cell[T] {
	cells := *t.cells.Load()
	mask := uint64(len(cells) - 1)
	for i := k.lo & mask; ; i = (i + 1) & mask {
		c := &cells[i]
		switch c.lo.Load() {
		case k.lo:
			if c.hi == k.hi {
				return c
			}
		case 0:
			return nil
		}
	}
}

// insert adds a key that is not in the table.
func (t *table[T]) insert(k key, value *T, number, tag uint32) {
	cells := *t.cells.Load()
	if t.used++; 2*t.used > len(cells) {
		grown := make([]cell[T], 2*len(cells))
		for i := range cells {
			if c := &cells[i]; c.lo.Load() != 0 {
				place(grown, key{c.lo.Load(), c.hi}, c.value, c.number, c.tag)
			}
		}
		place(grown, k, value, number, tag)
		t.cells.Store(&grown)
		return
	}
	place(cells, k, value, number, tag)
}

func place[T any](cells []cell[T], k key, value *T, number, tag uint32) {
	mask := uint64(len(cells) - 1)
	i := k.lo & mask
	for cells[i].lo.Load() != 0 {
		i = (i + 1) & mask
	}
	c := &cells[i]
	c.hi, c.value, c.number, c.tag = k.hi, value, number, tag
	c.lo.Store(k.lo)
}

// remove takes a key out, and moves back those behind it that it stood in the way of.
func (t *table[T]) remove(k key) {
	cells := *t.cells.Load()
	mask := uint64(len(cells) - 1)
	gap := k.lo & mask
	for cells[gap].lo.Load() != k.lo || cells[gap].hi != k.hi {
		if cells[gap].lo.Load() == 0 {
			return
		}
		gap = (gap + 1) & mask
	}
	t.used--
	for i := (gap + 1) & mask; cells[i].lo.Load() != 0; i = (i + 1) & mask {
		home := cells[i].lo.Load() & mask
		if (i-home)&mask < (i-gap)&mask {
			continue // it is where it belongs, or between there and the gap
		}
		c := &cells[gap]
		c.hi, c.value, c.number, c.tag = cells[i].hi, cells[i].value, cells[i].number, cells[i].tag
		c.lo.Store(cells[i].lo.Load())
		gap = i
	}
	c := &cells[gap]
	c.lo.Store(0)
	c.hi, c.value, c.number, c.tag = 0, nil, 0, 0
}

func newSeed() uint64 { return rand.Uint64() }

// sweep removes what is over.
func (t *table[T]) sweep(over func(*T) bool) {
	var keys []key
	cells := *t.cells.Load()
	for i := range cells {
		if c := &cells[i]; c.lo.Load() != 0 && over(c.value) {
			keys = append(keys, key{c.lo.Load(), c.hi})
		}
	}
	for _, k := range keys {
		t.remove(k)
	}
}
