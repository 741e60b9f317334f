package delivery

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/retry"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
)

// gatherFor is the least time between two loads, unless there is enough for a full one: what a call of the next component costs
// by itself is most of what one with few traces does.
const gatherFor = 100 * time.Millisecond

// After a retryable error a sender waits half a second, later up to half a minute, with jitter.
const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
)

// maxAsked is the longest that a sender waits because the destination asks for it.
const maxAsked = 5 * time.Minute

// asked is how long the destination asks to wait.
func asked(a *answer.Error) time.Duration { return min(a.Delay, maxAsked) }

// pace is when a sender takes the next load, and when it tries again after an error.
type pace struct {
	buffer  *buffer.Buffer
	hurry   chan struct{}   // ends gathering
	works   chan struct{}   // ends a pause: the destination accepted others after an outage
	asked   clock.Monotonic // until when the destination asked to wait
	backoff backoff.ExponentialBackOff
	phase   time.Duration   // of gatherFor: when in it loads are taken
	next    clock.Monotonic // when the next load is taken, if the last was not full
	retryAt atomic.Int64    // when the sender tries again after an error, a clock.Monotonic; 0 if it does not wait
}

func newPace(b *buffer.Buffer, phase time.Duration) pace {
	return pace{
		buffer: b, phase: phase, hurry: make(chan struct{}, 1), works: make(chan struct{}, 1),
		backoff: retry.New(firstBackoff, maxBackoff),
	}
}

// reset begins the back-off anew.
func (p *pace) reset() { p.backoff.Reset() }

// fresh forgets that the destination worked again: what matters to a pause is what happens from the call on that failed.
func (p *pace) fresh() {
	select {
	case <-p.works:
	default:
	}
}

// after is how long to wait after an error, where the destination asks for a delay.
func (p *pace) after(asked time.Duration) time.Duration {
	p.asked = p.buffer.Now().Add(asked)
	return max(p.backoff.NextBackOff(), asked)
}

// turn is when to take the next load after one that was not full. The senders of destinations that share a shelf take turns, so
// that one finds there what another has just delivered.
func (p *pace) turn(now clock.Monotonic) clock.Monotonic {
	earliest := time.Duration(now.Add(gatherFor/2)) - p.phase
	return clock.Monotonic(earliest - earliest%gatherFor + gatherFor + p.phase)
}

// gather waits until it is time for the next load.
func (p *pace) gather(ctx context.Context, delay time.Duration, drain <-chan struct{}) {
	timer := clock.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.hurry:
	case <-drain:
	case <-ctx.Done():
	}
}

// pause waits after an error, shows that it does, and reports whether to go on. The first time that drain is seen it ends
// at once; so it does when the destination works again, but not before the destination asked for.
func (p *pace) pause(ctx context.Context, delay time.Duration, drain <-chan struct{}) bool {
	p.retryAt.Store(int64(p.buffer.Now().Add(delay)))
	defer p.retryAt.Store(0)
	select {
	case <-drain: // was closed before
		drain = nil
	default:
	}
	timer := clock.NewTimer(delay)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case <-drain:
			p.backoff.Reset()
			return true
		case <-p.works:
			p.backoff.Reset()
			rest := p.asked.Sub(p.buffer.Now())
			if rest <= 0 {
				return true
			}
			timer.Reset(rest)
		case <-ctx.Done():
			return false
		}
	}
}
