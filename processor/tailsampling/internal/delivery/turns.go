package delivery

import (
	"context"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

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
