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

// gatherFor is the least time between two loads, unless there is enough for a full one: most of the cost of a call with few
// traces is the call itself.
const gatherFor = 100 * time.Millisecond

// After a retryable error a sender waits half a second, later up to half a minute, with jitter.
const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
)

// maxAsked is the longest delay that a destination may ask for.
const maxAsked = 5 * time.Minute

// asked returns the delay that the destination asks for.
func askedDelay(a *answer.Error) time.Duration { return min(a.Delay, maxAsked) }

// pace decides when a sender takes the next load, and when it retries after an error.
type pace struct {
	buffer  *buffer.Buffer
	hurry   chan struct{}   // ends gathering
	works   chan struct{}   // ends a pause: the destination has accepted traces after an outage
	asked   clock.Monotonic // end of the delay that the destination asked for
	backoff backoff.ExponentialBackOff
	phase   time.Duration   // the sender's turn within gatherFor
	next    clock.Monotonic // time of the next load, if the last was not full
	retryAt atomic.Int64    // time of the next try after an error, a clock.Monotonic; 0 without a pause
}

func newPace(b *buffer.Buffer, phase time.Duration) pace {
	return pace{
		buffer: b, phase: phase, hurry: make(chan struct{}, 1), works: make(chan struct{}, 1),
		backoff: retry.New(firstBackoff, maxBackoff),
	}
}

// reset resets the back-off.
func (p *pace) reset() { p.backoff.Reset() }

// fresh drops an earlier signal that the destination works: for a pause only what happens after the failed call counts.
func (p *pace) fresh() {
	select {
	case <-p.works:
	default:
	}
}

// after returns the pause after an error for which the destination asks for a delay.
func (p *pace) after(asked time.Duration) time.Duration {
	p.asked = p.buffer.Now().Add(asked)
	return max(p.backoff.NextBackOff(), asked)
}

// turn returns the time of the next load after one that was not full. Senders that share a shelf take turns, so that one finds
// there what another has just delivered.
func (p *pace) turn(now clock.Monotonic) clock.Monotonic {
	earliest := time.Duration(now.Add(gatherFor/2)) - p.phase
	return clock.Monotonic(earliest - earliest%gatherFor + gatherFor + p.phase)
}

// gather waits for the time of the next load.
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

// pause waits after an error, and shows that it does. It reports whether to go on. It ends at once when drain is first
// seen, and when the destination works again, but not before the delay that the destination asked for.
func (p *pace) pause(ctx context.Context, delay time.Duration, drain <-chan struct{}) bool {
	p.retryAt.Store(int64(p.buffer.Now().Add(delay)))
	defer p.retryAt.Store(0)
	select {
	case <-drain: // it was closed before
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
