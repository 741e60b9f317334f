package slab

// Table maps 32-bit hashes to numbers of values that live elsewhere, usually in a Slab. Several numbers may share a
// hash: the caller compares the values. It is an open-addressing table with linear probing whose removals leave no
// tombstones, so its cost does not grow with its age. The zero Table is empty and ready.
//
// To look up:
//
//	for n, at := t.First(hash); n != 0; n, at = t.Next(hash, at) {
//		if values.At(n).key == key { … }
//	}
type Table struct {
	cells []uint64 // hash<<32 | number; 0 is an empty cell; the length is a power of two
	count int
}

// minCells is the size of the smallest table.
const minCells = 64

// First returns the first number filed under the hash, 0 if there is none, and the position for Next.
func (t *Table) First(hash uint32) (number uint32, at int) {
	if t.count == 0 {
		return 0, 0
	}
	return t.probe(hash, int(hash)&(len(t.cells)-1))
}

// Next returns the number after the one found at this position.
func (t *Table) Next(hash uint32, at int) (number uint32, next int) {
	return t.probe(hash, (at+1)&(len(t.cells)-1))
}

func (t *Table) probe(hash uint32, i int) (uint32, int) {
	for mask := len(t.cells) - 1; ; i = (i + 1) & mask {
		c := t.cells[i]
		if c == 0 {
			return 0, i
		}
		if uint32(c>>32) == hash {
			return uint32(c), i
		}
	}
}

// Insert files the number, which must not be 0, under the hash.
func (t *Table) Insert(hash, number uint32) {
	if t.count >= len(t.cells)*3/4 {
		t.resize(max(minCells, 2*len(t.cells)))
	}
	t.put(uint64(hash)<<32 | uint64(number))
	t.count++
}

func (t *Table) put(cell uint64) {
	mask := len(t.cells) - 1
	i := int(cell>>32) & mask
	for t.cells[i] != 0 {
		i = (i + 1) & mask
	}
	t.cells[i] = cell
}

// resize rebuilds the table with so many cells, a power of two.
func (t *Table) resize(cells int) {
	old := t.cells
	t.cells = make([]uint64, cells)
	for _, c := range old {
		if c != 0 {
			t.put(c)
		}
	}
}

// Remove removes a number that was filed under the hash, and reports whether it was there.
func (t *Table) Remove(hash, number uint32) bool {
	if t.count == 0 {
		return false
	}
	mask := len(t.cells) - 1
	cell := uint64(hash)<<32 | uint64(number)
	hole := int(hash) & mask
	for t.cells[hole] != cell {
		if t.cells[hole] == 0 {
			return false
		}
		hole = (hole + 1) & mask
	}
	// Close the gap: every later cell of the run that may stand there moves up.
	for i := (hole + 1) & mask; t.cells[i] != 0; i = (i + 1) & mask {
		home := int(t.cells[i]>>32) & mask
		if (i-home)&mask >= (i-hole)&mask {
			t.cells[hole] = t.cells[i]
			hole = i
		}
	}
	t.cells[hole] = 0
	t.count--
	return true
}

// Trim shrinks a table that holds much less than it once did. Otherwise it does nothing, so that its cost is spread over
// the removals.
func (t *Table) Trim() {
	const mostlyEmpty = 16 // of so many cells one is filled, or none
	if len(t.cells) <= minCells || t.count > len(t.cells)/mostlyEmpty {
		return
	}
	cells := minCells
	for cells < 4*t.count {
		cells *= 2
	}
	t.resize(cells)
}

// Clear removes all numbers and keeps the memory.
func (t *Table) Clear() {
	if t.count > 0 {
		clear(t.cells)
		t.count = 0
	}
}

// All calls yield for every number, in no order.
func (t *Table) All(yield func(number uint32)) {
	for _, c := range t.cells {
		if c != 0 {
			yield(uint32(c))
		}
	}
}

// Len is the number of filed numbers.
func (t *Table) Len() int { return t.count }

// Bytes is the memory that the table occupies.
func (t *Table) Bytes() int { return cap(t.cells) * 8 }
