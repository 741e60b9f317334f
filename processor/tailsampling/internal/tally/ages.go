package tally

import "time"

// Ages are durations to be recorded outside of the lock: ages of traces that left, and of decisions that late spans
// followed. Each list keeps maxAges at most.
type Ages struct{ Removed, Late []time.Duration }

const maxAges = 4096

// AddRemoved adds the age of a trace that left.
func (a *Ages) AddRemoved(age time.Duration) {
	if len(a.Removed) < maxAges {
		a.Removed = append(a.Removed, age)
	}
}

// AddLate adds the age of a decision that a late span followed.
func (a *Ages) AddLate(age time.Duration) {
	if len(a.Late) < maxAges {
		a.Late = append(a.Late, age)
	}
}

// Reset empties the lists and keeps their memory.
func (a *Ages) Reset() { a.Removed, a.Late = a.Removed[:0], a.Late[:0] }
