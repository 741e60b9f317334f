package samples

import "github.com/slowburn/slowburn/slo/ledger"

// Counts holds the events of some minutes of an objective, by minute.
type Counts struct {
	Deltas []ledger.Delta
	// Measured says for each minute whether the database has a sample of it, even if nothing happened.
	Measured []bool
	// Counting says for each minute whether the connector sli counted from its start to its end. Only objectives that ask whether
	// there was traffic have it.
	Counting []bool
	// Problem describes for people what is wrong with the latest values of a query; empty if nothing is.
	Problem string
}

func newCounts(from, to ledger.Minute) *Counts {
	return &Counts{Deltas: make([]ledger.Delta, to-from), Measured: make([]bool, to-from)}
}

// measure marks a minute as measured. Minutes outside of the counts are ignored.
func (c *Counts) measure(m, from ledger.Minute) {
	if i := int(m - from); i >= 0 && i < len(c.Measured) {
		c.Measured[i] = true
	}
}
