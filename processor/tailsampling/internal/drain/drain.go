// Package drain takes a sampler out of service, so that its node can go for good: it refuses new spans, decides all undecided
// traces, and delivers the kept ones.
//
// Its types are Drain (the switch) and State (what is left). It is on from StartDrain to StopDrain, or to the end of the process:
// a sampler that starts accepts spans. Its mutex is held while traces are decided, together with the shards' mutexes, one after
// the other.
package drain

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/status"
)

// State counts the traces that are left, and says where they wait.
type State struct {
	// Draining reports whether spans are refused. Since is when that began, nil while they are accepted.
	Draining bool
	Since    *time.Time
	// Done reports whether nothing is left: each trace is decided, and each destination has received its kept
	// traces.
	Done bool
	// Reading reports whether recovery still reads the disk, so that the rest is unknown.
	Reading bool
	// UndecidedTraces wait for a decision.
	UndecidedTraces int64
	// UndeliveredTraces are kept, and a destination has not received them. One that waits for several counts
	// once.
	UndeliveredTraces int64
	// Destinations lists where traces wait, and how each destination answers.
	Destinations []Backlog
}

// Backlog counts the traces that a destination has not received.
type Backlog struct {
	Destination string
	Pipeline    string
	// Traces and Spans wait for it. RefusedTraces were refused for good; see slowburn retry.
	Traces        int64
	Spans         int64
	RefusedTraces int64
	// State and LastAnswer are those of status.Destination.
	State      string
	LastAnswer *status.LastAnswer
}

// Drain is the switch. Its methods may be called concurrently.
type Drain struct {
	buffer *buffer.Buffer
	view   *status.View
	gate   sync.Locker // held by every request that is being accepted

	mu    sync.Mutex                // held while it changes
	since atomic.Pointer[time.Time] // nil while spans are accepted
}

// New returns a Drain of a buffer. Locking gate waits for all requests that are being accepted.
func New(b *buffer.Buffer, view *status.View, gate sync.Locker) *Drain {
	d := &Drain{buffer: b, view: view, gate: gate}
	view.Draining = d.Draining
	return d
}

// Draining reports whether spans are refused.
func (d *Drain) Draining() bool { return d.since.Load() != nil }

// StartDrain refuses new spans, decides all undecided traces, and returns what is left. Calling it again is
// harmless.
func (d *Drain) StartDrain() State {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.Draining() {
		now := clock.Now().UTC()
		d.since.Store(&now)
	}
	d.gate.Lock()   // requests that did not see the switch have ended
	d.gate.Unlock() //nolint:staticcheck // nothing to do while it is held
	if d.buffer.Ready() {
		Decide(d.buffer, true, false)
	}
	return d.state()
}

// StopDrain accepts spans again, and returns what is left.
func (d *Drain) StopDrain() State {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.since.Store(nil)
	return d.state()
}

func (d *Drain) state() State {
	s := State{Since: d.since.Load(), Reading: !d.buffer.Ready(), Destinations: []Backlog{}}
	s.Draining = s.Since != nil
	sum := d.buffer.Sum()
	s.UndecidedTraces, s.UndeliveredTraces = sum.Pending, sum.Undelivered
	for _, one := range d.view.Destinations().Destinations {
		s.Destinations = append(s.Destinations, Backlog{
			Destination: one.Destination, Pipeline: one.Pipeline, Traces: one.Backlog.Traces, Spans: one.Backlog.Spans,
			RefusedTraces: one.RefusedTraces, State: one.State, LastAnswer: one.LastAnswer,
		})
	}
	s.Done = s.Draining && !s.Reading && s.UndecidedTraces == 0 && s.UndeliveredTraces == 0
	return s
}

// Decide decides the undecided traces if undecided is set, and queues late parts for delivery. With drop, undecided traces
// are not sampled, whatever the policies say.
func Decide(b *buffer.Buffer, undecided, drop bool) {
	for _, m := range b.Members {
		m.Lock()
		if undecided {
			m.DecideAll(drop, b.Now())
		}
		b.Leave(m)
	}
	for _, m := range b.Members {
		m.Lock()
		m.FinishAll(b.Now())
		b.Leave(m)
	}
}
