package tally

import (
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// Stage is a part of the work whose time is measured.
type Stage uint8

// The stages.
const (
	Append     Stage = iota // a call of ConsumeTraces
	Decide                  // a run of the decider
	Deliver                 // a batch: decoding and the call of the next component
	StageCount              // how many there are
)

// String returns the stage's name in metrics.
func (s Stage) String() string { return [StageCount]string{"append", "decide", "deliver"}[s] }

// Stages adds up the time of stages. It is safe for concurrent use.
type Stages [StageCount]struct{ calls, nanoseconds atomic.Int64 }

// Since counts a call of a stage that began at an instant and ends now.
func (t *Stages) Since(s Stage, began time.Time) { t.Add(s, clock.Since(began)) }

// Add counts a call of a stage and its duration.
func (t *Stages) Add(s Stage, took time.Duration) {
	t[s].calls.Add(1)
	t[s].nanoseconds.Add(int64(took))
}

// Of returns the number of a stage's calls and their time in all.
func (t *Stages) Of(s Stage) (calls int64, took time.Duration) {
	return t[s].calls.Load(), time.Duration(t[s].nanoseconds.Load())
}
