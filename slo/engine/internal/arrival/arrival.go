// Package arrival compares the counts that the connector sli sends with those that evaluation reads back from the time series database:
// they may be lost although the metrics pipeline accepted them. Its one type is Arrival.
package arrival

import (
	"fmt"
	"sync"
	"time"
)

// MaxDelay is how long counts may take from the connector sli to an evaluation. It allows for a pipeline that holds metrics for
// a minute and an evaluation that is a minute behind.
const MaxDelay = 5 * time.Minute

// Arrival tracks when counts were sent and read back. The zero value is ready. Its methods may be called concurrently.
type Arrival struct {
	mu   sync.Mutex
	left time.Time // when counts were last sent
	from time.Time // when the oldest counts that were not read back were sent; zero if all were
}

// CountsSent implements slo.Evaluator.
func (a *Arrival) CountsSent(at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at.Sub(a.left).Abs() > MaxDelay { // the clock jumped, or nothing was sent for a while
		a.from = time.Time{}
	}
	a.left = at
	if a.from.IsZero() {
		a.from = at
	}
}

// Read notes the time of the newest sample that was read.
func (a *Arrival) Read(newest time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !newest.Before(a.from) {
		a.from = time.Time{}
	}
}

// Unread returns when the oldest counts were sent that are not read back yet, if the newest sample that was read has the given time, in
// Unix ms; zero if there are none.
func (a *Arrival) Unread(newest int64) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.UnixMilli(newest).Before(a.from) {
		return a.from
	}
	return time.Time{}
}

// Missing returns a sentence that says since when sent counts do not arrive; empty if they do.
func (a *Arrival) Missing() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.from.IsZero() || a.left.Sub(a.from) <= MaxDelay {
		return ""
	}
	return fmt.Sprintf("Spans are counted, but no count since %s has reached the time series database: check that the metrics "+
		"pipeline of the connector sli leads to it, and drops nothing.", a.from.UTC().Format(time.RFC3339))
}
