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

// MaxSenders bounds how many calls of the next component run at once for a destination.
const MaxSenders = 8

// Sender delivers the kept traces of its shards to one destination, in the order in which they were decided in each. Its
// fields are those of its goroutine but for the atomic ones, the channels and what waiting guards.
type Sender struct {
	d       *Destination
	members []*buffer.Member
	first   int // of members: where the next load begins, so that none starves
	wake    chan struct{}
	dresser *dress.Dresser
	shelf   *shelf
	memory  memory
	work    work    // what is being delivered
	loads   []*load // that are not settled, the oldest first
	large   largeTrace
	spare   *load
	waiting waiting
	turn    bool // of what waits, before the log
	// gathered says that the wait for the next load was made, and the load not taken yet.
	gathered bool
	pace     pace
	calling  atomic.Int64 // since when the next component has not returned, a clock.Monotonic; 0 if it is not being called
}

// piece is traces of a load that are sent together: from, up to but without to.
type piece struct {
	*load
	from, to int
	trial.Trial
	of     *piece        // at work: this is one trace of it, tried alone
	tried  int           // the traces before this one were tried alone
	probed bool          // the first of the traces was tried alone before any was sent
	sent   bool          // at least once
	alone  bool          // a trace that waited, or was refused before: where it fails it waits again
	delay  time.Duration // how long it waited
}

func (p *piece) several() bool { return p.to-p.from > 1 }

// newSender returns one of so many senders of a processor. It shares a shelf with those of the same shards, and takes
// turns with them.
func newSender(d *Destination, senders int, shared *shelf, phase time.Duration) *Sender {
	return &Sender{
		d: d, waiting: waiting{apart: &d.Apart}, wake: make(chan struct{}, 1), dresser: dress.New(d.out.Names, d.out.Silent),
		shelf:  shared,
		memory: newMemory(d.out.Buffer.Pool, senders, d.Bytes), pace: newPace(d.out.Buffer, phase),
	}
}

// Run delivers until drain is closed and nothing is left that was not tried since, or ctx is done. Closing drain also ends a
// pause after an error: what can still be delivered is worth a try.
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
	delay time.Duration // that the wait takes at most
}

// waitFor says what ends a wait before its time.
type waitFor uint8

const (
	forNothing waitFor = iota // there is no wait
	forTurn                   // to take the next load: ends when loads are wanted at once
	forRetry                  // after an error: ends when the destination works again
	forWork                   // nothing is there: ends when something is
)

// step does what there is to do, with one call of the next component at most, and returns what to wait for before the next step.
// What waits and is due takes turns with the log.
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

// ready puts something to work, or returns what to wait for before it is called again.
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
		s.d.warn("kept traces cannot be read back: they are tried again", failed)
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

// idle waits for anything to send, and reports whether to go on. It does not where nothing more will come.
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

// Turns are the steps of a sender that no goroutine runs: a simulation takes them, one at a time. It is for one goroutine.
type Turns struct {
	s     *Sender
	wait  pause
	until clock.Monotonic
	busy  bool // a step is being taken: its call of the next component takes others' steps meanwhile
}

// TurnsOf returns the steps of a sender, which waits without jitter from now on.
func TurnsOf(s *Sender) *Turns {
	s.pace.backoff.RandomizationFactor = 0
	s.memory.set(0)
	return &Turns{s: s}
}

// Destination is where the sender delivers to.
func (t *Turns) Destination() *Destination { return t.s.d }

// Due is when the sender has something to do: now or before if that is so already, shard.Never if nobody knows.
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

// ended reports whether somebody has ended the wait before its time. With take it is not ended any more.
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

// Take takes the step that is due, and reports false if none is.
func (t *Turns) Take(ctx context.Context) bool {
	now := t.s.d.out.Buffer.Now()
	if t.Due() > now {
		return false
	}
	if t.ended(true) && t.wait.waitFor == forRetry { // as pace.pause has it
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
