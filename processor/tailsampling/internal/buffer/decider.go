package buffer

import (
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// runEvery is the least time between two runs of the decider, so that what falls due in it is decided together.
const runEvery = 10 * time.Millisecond

// Recorder records how the decider runs. It is called with no lock held.
type Recorder interface {
	// Run records how long a run took.
	Run(took time.Duration)
	// Lateness records how overdue the most overdue decision of a run was.
	Lateness(overdue time.Duration)
	// Ages records the ages that a shard gathered. It must not retain a.
	Ages(a tally.Ages)
}

// Decider does what is due in all shards.
type Decider struct {
	buffer   *Buffer
	recorder Recorder
	runs     atomic.Int64
}

// NewDecider returns the decider of a buffer.
func NewDecider(b *Buffer, r Recorder) *Decider { return &Decider{buffer: b, recorder: r} }

// Runs is how often it has run.
func (d *Decider) Runs() int64 { return d.runs.Load() }

// Run works until stop is closed. It sleeps until the next is due, for good when there is none.
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

// pause waits, and reports whether it was not stopped.
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

// Once does what is due, and returns when the next will be: it is what Run does each time.
func (d *Decider) Once() (next clock.Monotonic) { return d.once(nil) }

// once does what is due, and returns when the next will be.
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
