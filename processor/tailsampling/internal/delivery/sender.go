package delivery

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/dress"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/trial"
)

// MaxSenders is the largest number of concurrent calls of the next component per destination.
const MaxSenders = 8

// Sender delivers the kept traces of its shards to one destination, in the order of each shard's decisions. Its fields
// belong to its goroutine, except the atomic ones, the channels and those that waiting guards.
type Sender struct {
	d       *Destination
	members []*buffer.Member
	first   int // of members: where the next load begins, so that none starves
	wake    chan struct{}
	dresser *dress.Dresser
	shelf   *shelf
	memory  memory
	work    work    // the pieces being delivered
	loads   []*load // unsettled ones, the oldest first
	large   largeTrace
	spare   *load
	waiting waiting
	turn    bool // of the waiting traces, before the log
	// gathered reports whether the wait for the next load is over, and the load not taken yet.
	gathered bool
	pace     pace
	calling  atomic.Int64 // start of the running call of the next component, a clock.Monotonic; 0 if there is none
}

// piece is the traces of a load that are sent together: from, up to but not including, to.
type piece struct {
	*load
	from, to int
	trial.Trial
	of     *piece        // of the work, if this is one of its traces, tried alone
	tried  int           // number of its first traces that were tried alone
	probed bool          // its first trace was tried alone before any other was sent
	sent   bool          // at least once
	alone  bool          // a trace that waited, or was refused before: if it fails it waits again
	delay  time.Duration // its last wait
}

func (p *piece) several() bool { return p.to-p.from > 1 }

// newSender returns one of so many senders. It shares a shelf with those of the same shards, and takes turns with
// them.
func newSender(d *Destination, senders int, shared *shelf, phase time.Duration) *Sender {
	return &Sender{
		d: d, waiting: waiting{apart: &d.Apart}, wake: make(chan struct{}, 1), dresser: dress.New(d.out.Names, d.out.TracestateOnly),
		shelf:  shared,
		memory: newMemory(d.out.Buffer.Pool, senders, d.Bytes), pace: newPace(d.out.Buffer, phase),
	}
}

// Run delivers until ctx is done, or drain is closed and all remaining traces were tried since. Closing drain also ends a
// pause after an error: a last try is worthwhile.
func (s *Sender) Run(ctx context.Context, drain <-chan struct{}) {
	s.memory.set(0)
	defer s.memory.free()
	defer s.shelf.clear()
	defer leaveQuota(s)
	for ctx.Err() == nil {
		if !until(ctx, s, step(ctx, s), drain) {
			return
		}
	}
}

// pause is what a sender waits for before its next step.
type pause struct {
	waitFor
	delay time.Duration // the longest wait
}

// waitFor says what ends a wait early.
type waitFor uint8

const (
	forNothing waitFor = iota // there is no wait
	forTurn                   // to take the next load: ends when loads are wanted at once
	forRetry                  // after an error: ends when the destination works again
	forWork                   // for traces: ends when there are some
)

// step does the next work, with one call of the next component at most, and returns what to wait for afterwards. Waiting traces
// that are due take turns with the log.
func step(ctx context.Context, s *Sender) pause {
	if len(s.work) == 0 {
		if wait := s.ready(); wait.waitFor != forNothing || len(s.work) == 0 {
			return wait
		}
	}
	p := s.next()
	if p == nil {
		return pause{forRetry, s.pace.after(0)}
	}
	s.pace.fresh()
	sent := p.spansSent(p.from, p.to)
	if delay := s.settle(p, sent, s.send(ctx, p)); delay > 0 {
		return pause{forRetry, delay}
	}
	return pause{}
}

// ready adds work, or returns what to wait for before the next call.
func (s *Sender) ready() pause {
	if !s.gathered {
		if s.turn = !s.turn; s.turn && s.takeWaiting() {
			return pause{}
		}
		if delay := s.pace.next.Sub(s.d.out.Buffer.Now()); delay > 0 {
			s.gathered = true
			return pause{forTurn, delay}
		}
	}
	s.gathered = false
	if failed := s.fill(); failed != nil {
		s.d.warn("reading kept traces back failed, retrying", failed)
		return pause{forRetry, s.pace.after(0)}
	}
	if len(s.work) > 0 || s.takeWaiting() {
		return pause{}
	}
	return pause{forWork, s.waiting.next(s.d.out.Buffer.Now())}
}

// until waits, and reports whether to go on.
func until(ctx context.Context, s *Sender, wait pause, drain <-chan struct{}) bool {
	switch wait.waitFor {
	case forTurn:
		s.pace.gather(ctx, wait.delay, drain)
	case forRetry:
		return s.pace.pause(ctx, wait.delay, drain)
	case forWork:
		return s.idle(ctx, wait.delay, drain)
	}
	return true
}

// idle waits for traces, and reports whether to go on: not if no more will come.
func (s *Sender) idle(ctx context.Context, delay time.Duration, drain <-chan struct{}) bool {
	timer := clock.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-s.wake:
	case <-timer.C:
	case <-ctx.Done():
	case <-drain:
		s.waiting.hurry()
		if failed := s.fill(); failed == nil && len(s.work) == 0 {
			return s.takeWaiting() || s.large.blocked && awaitQuota(ctx, s)
		}
	}
	return true
}

// Turns are the steps of a sender without a goroutine, for a simulation. It is for one goroutine.
type Turns struct {
	s     *Sender
	wait  pause
	until clock.Monotonic
	busy  bool // during a step, whose call of the next component may take others' steps
}

// TurnsOf returns the steps of a sender, whose waits have no jitter from then on.
func TurnsOf(s *Sender) *Turns {
	s.pace.backoff.RandomizationFactor = 0
	s.memory.set(0)
	return &Turns{s: s}
}

// Destination returns the sender's destination.
func (t *Turns) Destination() *Destination { return t.s.d }

// Due returns when the sender has work: now or earlier if it has some already, shard.Never if that is unknown.
func (t *Turns) Due() clock.Monotonic {
	switch {
	case t.busy:
		return shard.Never
	case t.wait.waitFor == forNothing, t.ended(false):
		return 0
	default:
		return t.until
	}
}

// ended reports whether the wait was ended early. With take, that is reset.
func (t *Turns) ended(take bool) bool {
	var signal chan struct{}
	switch t.wait.waitFor {
	case forTurn:
		signal = t.s.pace.hurry
	case forWork:
		signal = t.s.wake
	case forRetry:
		signal = t.s.pace.works
	default:
		return true
	}
	if len(signal) > 0 && take {
		<-signal
		return true
	}
	return len(signal) > 0
}

// Take takes the step that is due, and reports whether there was one.
func (t *Turns) Take(ctx context.Context) bool {
	now := t.s.d.out.Buffer.Now()
	if t.Due() > now {
		return false
	}
	if t.ended(true) && t.wait.waitFor == forRetry { // as in pace.pause
		t.s.pace.backoff.Reset()
		if t.until = t.s.pace.asked; t.until > now {
			return true
		}
	}
	t.busy = true
	t.wait = step(ctx, t.s)
	t.busy = false
	t.until = t.s.d.out.Buffer.Now().Add(t.wait.delay)
	return true
}
