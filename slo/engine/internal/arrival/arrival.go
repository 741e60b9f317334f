// Package arrival compares the counts that leave the connector sli with those that evaluation reads back from the time series database:
// where none arrive any more, whoever took them may have said that all is well. Its one type is Arrival.
package arrival

import (
	"fmt"
	"sync"
	"time"
)

// Patience is how long counts may take from the connector sli to an evaluation. A pipeline that waits for a minute, and an evaluation
// that is a minute behind, are within it.
const Patience = 5 * time.Minute

// Arrival is when counts left and when they were read. The zero value is ready. Its methods may be called concurrently.
type Arrival struct {
	mu   sync.Mutex
	left time.Time // when counts left last
	from time.Time // when the oldest counts left that were not read back; zero where all were
}

// CountsLeft implements slo.Evaluator.
func (a *Arrival) CountsLeft(at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at.Sub(a.left).Abs() > Patience { // the clock jumped, or nothing left for a while
		a.from = time.Time{}
	}
	a.left = at
	if a.from.IsZero() {
		a.from = at
	}
}

// Read notes that samples were read up to the newest.
func (a *Arrival) Read(newest time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !newest.Before(a.from) {
		a.from = time.Time{}
	}
}

// Missing says since when counts leave and none arrives, and is empty where they do.
func (a *Arrival) Missing() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.from.IsZero() || a.left.Sub(a.from) <= Patience {
		return ""
	}
	return fmt.Sprintf("Spans are counted, but no count since %s has reached the time series database: check that the metrics "+
		"pipeline of the connector sli leads to it, and drops nothing.", a.from.UTC().Format(time.RFC3339))
}
