package parts

import (
	"slices"

	"github.com/slowburn/slowburn/slo"
)

// table holds the events of one objective by part: an hour by minute, or a day by hour.
type table struct {
	slots int
	rows  []*row
	index map[key]int // of rows
}

// key names a row: all events of a part without a reason, or its bad events of one reason.
type key struct {
	part Part
	bad  bool
}

// compare orders keys by part; all events come before bad ones.
func (k key) compare(l key) int {
	switch c := k.part.compare(l.part); {
	case c != 0 || k.bad == l.bad:
		return c
	case l.bad:
		return -1
	default:
		return 1
	}
}

// row holds the events of a key.
type row struct {
	key
	rest float64 // events that rounding owes to the row; above -1 and below 1
	n    []uint64
}

func (r *row) sum() (sum uint64) {
	for _, n := range r.n {
		sum += n
	}
	return sum
}

func (r *row) empty() bool { return r.rest == 0 && r.sum() == 0 }

func newTable(slots int) *table { return &table{slots: slots, index: map[key]int{}} }

// at returns the row of a key, which it makes if need be.
func (t *table) at(k key) *row {
	i, ok := t.index[k]
	if !ok {
		i = len(t.rows)
		t.index[k] = i
		t.rows = append(t.rows, &row{key: k, n: make([]uint64, t.slots)})
	}
	return t.rows[i]
}

// events returns the events of all parts in a slot.
func (t *table) events(slot int) (e slo.Events) {
	for _, r := range t.rows {
		if r.bad {
			e.Bad += r.n[slot]
		} else {
			e.Total += r.n[slot]
		}
	}
	return e
}

// clear takes the events of the slots from first on out of the table.
func (t *table) clear(first int) {
	for _, r := range t.rows {
		clear(r.n[first:])
		r.rest = 0
	}
}

// rename gives rows other keys, and adds up those that then have the same. Rows that rename does not have keep theirs; empty rows go.
func (t *table) rename(to func(key) key) {
	old := t.rows
	t.rows, t.index = make([]*row, 0, len(old)), make(map[key]int, len(old))
	for _, r := range old {
		if r.empty() {
			continue
		}
		k := to(r.key)
		j, ok := t.index[k]
		if !ok {
			t.index[k] = len(t.rows)
			r.key = k
			t.rows = append(t.rows, r)
			continue
		}
		dst := t.rows[j]
		dst.rest = clampRest(dst.rest + r.rest)
		for slot, n := range r.n {
			dst.n[slot] += n
		}
	}
}

// sort orders the rows by key.
func (t *table) sort() {
	slices.SortFunc(t.rows, func(a, b *row) int { return a.compare(b.key) })
	for i, r := range t.rows {
		t.index[r.key] = i
	}
}
