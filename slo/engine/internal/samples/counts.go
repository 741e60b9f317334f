package samples

import "github.com/slowburn/slowburn/slo/ledger"

// Counts are what the minutes of an objective had, each at its place.
type Counts struct {
	Deltas []ledger.Delta
	// Measured says of each minute whether the database has anything of it, be it that nothing happened.
	Measured []bool
}

func newCounts(from, to ledger.Minute) *Counts {
	return &Counts{Deltas: make([]ledger.Delta, to-from), Measured: make([]bool, to-from)}
}

// measure notes a sample of a minute; those outside of the counts are left out.
func (c *Counts) measure(m, from ledger.Minute) {
	if i := int(m - from); i >= 0 && i < len(c.Measured) {
		c.Measured[i] = true
	}
}
