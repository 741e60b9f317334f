package samples

import (
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/ledger/parts"
)

// Counts holds the events of some minutes of an objective, by minute.
type Counts struct {
	Deltas []ledger.Delta
	// Earlier holds events of minutes before the one in which they arrived, by arrival.
	Earlier []Earlier
	// Measured says for each minute whether the database has a sample of it, even if nothing happened.
	Measured []bool
	// Parts holds the same events by part, those of a series and a minute in one.
	Parts []parts.Delta
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
