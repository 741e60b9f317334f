package tally

import (
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// Stage is a part of the way through the buffer of which the time is measured.
type Stage uint8

// The stages.
const (
	Append     Stage = iota // a request: everything between ConsumeTraces being called and its return
	Decide                  // a run of the decider
	Deliver                 // a batch: decoding it, and the next component's call
	StageCount              // how many there are
)

// String returns the stage as it stands in metrics.
func (s Stage) String() string { return [StageCount]string{"append", "decide", "deliver"}[s] }

// Stages adds up how long stages took. It is safe for concurrent use.
type Stages [StageCount]struct{ calls, nanoseconds atomic.Int64 }

// Since counts a call of a stage that began then.
func (t *Stages) Since(s Stage, began time.Time) { t.Add(s, clock.Since(began)) }

// Add counts a call of a stage that took so long.
func (t *Stages) Add(s Stage, took time.Duration) {
	t[s].calls.Add(1)
	t[s].nanoseconds.Add(int64(took))
}

// Of returns how often a stage ran, and how long in all.
func (t *Stages) Of(s Stage) (calls int64, took time.Duration) {
	return t[s].calls.Load(), time.Duration(t[s].nanoseconds.Load())
}
