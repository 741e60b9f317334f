// Package marked remembers the undecided traces of a shard that must be kept as exemplars of an objective.
//
// Its type is Traces, which is guarded by its shard's mutex.
package marked

import (
	"maps"
	"slices"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// maxTraces bounds the memory of marks, far above what objectives mark within any decision_wait.
const maxTraces = 1 << 16

// Traces are the marked traces by slot. The zero value has none.
type Traces struct{ slots map[index.Slot]struct{} }

// Add marks a trace, and reports whether it was not marked before and there is room.
func (t *Traces) Add(n index.Slot) bool {
	if t.slots == nil {
		t.slots = map[index.Slot]struct{}{}
	}
	if _, known := t.slots[n]; known || len(t.slots) >= maxTraces {
		return false
	}
	t.slots[n] = struct{}{}
	return true
}

// Has reports whether the trace is marked.
func (t *Traces) Has(n index.Slot) bool {
	if len(t.slots) == 0 {
		return false
	}
	_, known := t.slots[n]
	return known
}

// Remove removes a mark.
func (t *Traces) Remove(n index.Slot) {
	if len(t.slots) > 0 {
		delete(t.slots, n)
	}
}

// All yields the marked traces by slot.
func (t *Traces) All(yield func(index.Slot) bool) {
	for _, n := range slices.Sorted(maps.Keys(t.slots)) {
		if !yield(n) {
			return
		}
	}
}

// Bytes is about how much memory the marks take.
func (t *Traces) Bytes() int {
	const perMark = 16 // bytes of a map entry
	return perMark * len(t.slots)
}
