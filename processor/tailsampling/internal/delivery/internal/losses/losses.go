// Package losses logs the failures of a destination without flooding the log.
//
// Its types are Limiter (allows each message once in ten seconds), Losses (what was given up, by Reason, until it is logged),
// and Loss (a line of the log). They may be used concurrently; their mutexes are locked alone, or inside of a shard's.
package losses

import (
	"sync"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// every is the least time between two equal messages.
const every = 10 * time.Second

// Limiter allows each message once in ten seconds, independently of others.
type Limiter struct {
	mu   sync.Mutex
	last map[string]clock.Monotonic // by message; there are few
}

// Allow reports whether a message may be logged now.
func (l *Limiter) Allow(message string, now clock.Monotonic) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, seen := l.last[message]; seen && now.Sub(last) < every {
		return false
	}
	if l.last == nil {
		l.last = map[string]clock.Monotonic{}
	}
	l.last[message] = now
	return true
}

// Reason is why traces were given up.
type Reason uint8

// The reasons.
const (
	DeliveryBudget Reason = iota
	RefusalPatience
	RefusedList
	WaitingList
	Undecodable
	reasons // how many there are
)

// String returns the reason's text in the log and in /readyz.
func (r Reason) String() string {
	return [reasons]string{
		"delivery_budget is used up", "refusal_patience is used up", "more traces were refused for good than can be listed",
		"too many traces fail at each try", "they cannot be decoded",
	}[r]
}

// Loss counts what was given up for a reason.
type Loss struct {
	Reason        Reason
	Traces, Spans int64
}

// Losses counts what a destination gave up, until it is logged.
type Losses struct {
	mu     sync.Mutex
	untold [reasons]Loss
	told   [reasons]clock.Monotonic // last log of a reason; 0 is never
	at     clock.Monotonic          // time of the last loss; 0 is never
	reason Reason                   // of the last loss
}

// Add counts a trace.
func (l *Losses) Add(r Reason, spans int, now clock.Monotonic) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.untold[r].Traces++
	l.untold[r].Spans += int64(spans)
	l.at, l.reason = max(now, 1), r
}

// Last returns when and why a trace was last given up; at is 0 if none was.
func (l *Losses) Last() (at clock.Monotonic, r Reason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at, l.reason
}

// Take returns the losses to log now: for each reason all since its last log, if that is at least ten seconds ago, or in any
// case with all.
func (l *Losses) Take(now clock.Monotonic, all bool) (list []Loss) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r := range reasons {
		if l.untold[r].Traces == 0 || !all && l.told[r] != 0 && now.Sub(l.told[r]) < every {
			continue
		}
		loss := l.untold[r]
		loss.Reason = r
		list = append(list, loss)
		l.untold[r], l.told[r] = Loss{}, max(now, 1)
	}
	return list
}
