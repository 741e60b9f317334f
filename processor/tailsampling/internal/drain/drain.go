// Package drain takes a sampler out of service, so that its node can go for good: no new spans are taken, what is undecided is
// decided, and what is kept is delivered.
//
// Its types are Drain (the switch) and State (what is left). It is on from StartDrain to StopDrain, or to the end of the process:
// a sampler that starts takes spans. Its mutex is held while traces are decided, and no other but the shards' one after the other.
package drain

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/status"
)

// State is what is left, and where it waits.
type State struct {
	// Draining says that no spans are taken. Since is when that began, nil where they are.
	Draining bool
	Since    *time.Time
	// Done says that nothing is left: each trace was decided, and each destination has what was kept for it.
	Done bool
	// Reading says that what is on disk is still being read back, so that nobody knows what is left.
	Reading bool
	// UndecidedTraces wait for a decision.
	UndecidedTraces int64
	// UndeliveredTraces are kept, and a destination has not got them. One that waits for several counts once.
	UndeliveredTraces int64
	// Destinations are where they wait, with how each answers.
	Destinations []Left
}

// Left is what a destination has not got.
type Left struct {
	Destination string
	Pipeline    string
	// Traces and Spans wait for it; RefusedTraces it refused for good, see slowburn retry.
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
	gate   sync.Locker // held by nobody who takes spans in

	mu    sync.Mutex                // held while it changes
	since atomic.Pointer[time.Time] // nil where spans are taken
}

// New returns a Drain of what is in a buffer. Whoever locks gate has waited for all spans that are being taken in.
func New(b *buffer.Buffer, view *status.View, gate sync.Locker) *Drain {
	d := &Drain{buffer: b, view: view, gate: gate}
	view.Draining = d.Draining
	return d
}

// Draining reports whether no spans are taken.
func (d *Drain) Draining() bool { return d.since.Load() != nil }

// StartDrain has no more spans taken, decides what is undecided, and returns what is left. Called again it goes on.
func (d *Drain) StartDrain() State {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.Draining() {
		now := clock.Now().UTC()
		d.since.Store(&now)
	}
	d.gate.Lock()   // those who did not see it yet are through
	d.gate.Unlock() //nolint:staticcheck // nothing to do while it is held
	if d.buffer.Ready() {
		Decide(d.buffer, true, false)
	}
	return d.state()
}

// StopDrain takes spans again, and returns what is left.
func (d *Drain) StopDrain() State {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.since.Store(nil)
	return d.state()
}

func (d *Drain) state() State {
	s := State{Since: d.since.Load(), Reading: !d.buffer.Ready(), Destinations: []Left{}}
	s.Draining = s.Since != nil
	sum := d.buffer.Sum()
	s.UndecidedTraces, s.UndeliveredTraces = sum.Pending, sum.Undelivered
	for _, one := range d.view.Destinations().Destinations {
		s.Destinations = append(s.Destinations, Left{
			Destination: one.Destination, Pipeline: one.Pipeline, Traces: one.Backlog.Traces, Spans: one.Backlog.Spans,
			RefusedTraces: one.RefusedTraces, State: one.State, LastAnswer: one.LastAnswer,
		})
	}
	s.Done = s.Draining && !s.Reading && s.UndecidedTraces == 0 && s.UndeliveredTraces == 0
	return s
}

// Decide decides what is undecided, if undecided is set, and sends late parts on their way. With drop what is undecided is
// not sampled, whatever the policies say.
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
