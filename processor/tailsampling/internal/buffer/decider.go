package buffer

import (
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// runEvery is the least time between two runs of the decider: traces that fall due within it are decided
// together.
const runEvery = 10 * time.Millisecond

// Recorder records how the decider runs. It is called with no lock held.
type Recorder interface {
	// Run records how long a run took.
	Run(took time.Duration)
	// Lateness records the delay of the most overdue decision of a run.
	Lateness(overdue time.Duration)
	// Ages records the ages that a shard gathered. It must not retain a.
	Ages(a tally.Ages)
}

// Decider decides the due traces of all shards.
type Decider struct {
	buffer   *Buffer
	recorder Recorder
	runs     atomic.Int64
}

// NewDecider returns the decider of a buffer.
func NewDecider(b *Buffer, r Recorder) *Decider { return &Decider{buffer: b, recorder: r} }

// Runs counts the runs.
func (d *Decider) Runs() int64 { return d.runs.Load() }

// Run works until stop is closed. It sleeps until the next trace is due.
func (d *Decider) Run(stop <-chan struct{}) {
	timer := clock.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-stop:
			return
		case <-d.buffer.due:
		case <-timer.C:
		}
		began := clock.Now()
		next := d.once(stop)
		d.runs.Add(1)
		d.recorder.Run(clock.Since(began))
		timer.Stop()
		if next != shard.Never {
			timer.Reset(max(runEvery, next.Sub(d.buffer.Now())))
		}
		if !pause(runEvery, stop) {
			return
		}
	}
}

// pause waits for d, and reports whether stop was not closed before.
func pause(d time.Duration, stop <-chan struct{}) bool {
	timer := clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
		return false
	}
}

// Once is one run: it decides the due traces and returns when the next one will be due.
func (d *Decider) Once() (next clock.Monotonic) { return d.once(nil) }

// once decides the due traces and returns when the next one will be due.
func (d *Decider) once(stop <-chan struct{}) (next clock.Monotonic) {
	b := d.buffer
	next = shard.Never
	overdue := time.Duration(-1)
	var ages tally.Ages
	for _, m := range b.Members {
		for more := true; more; {
			select {
			case <-stop:
				return shard.Never
			default:
			}
			var late time.Duration
			var at clock.Monotonic
			m.Lock()
			late, more, at = m.Due(b.Now())
			m.Tally().Ages, ages = ages, m.Tally().Ages
			b.Leave(m)
			d.recorder.Ages(ages)
			ages.Reset()
			overdue = max(overdue, late)
			if !more {
				next = min(next, at)
			}
		}
	}
	if overdue >= 0 {
		d.recorder.Lateness(overdue)
	}
	return next
}
