// Package losses says in the log what goes wrong at a destination, without flooding it.
//
// Its types are Limiter (lets each message through once in ten seconds), Losses (what was given up, by Reason, until it is
// logged), and Loss (what a line of the log says). They may be used concurrently; their mutexes are locked alone, or inside of a
// shard's.
package losses

import (
	"sync"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
)

// every is the least time between two equal messages.
const every = 10 * time.Second

// Limiter lets each message through once in ten seconds, whatever the others are.
type Limiter struct {
	mu   sync.Mutex
	last map[string]clock.Monotonic // by message, of which there are few
}

// Allow reports whether a message is to be logged now.
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

// String returns the reason as the log and /readyz say it.
func (r Reason) String() string {
	return [reasons]string{
		"delivery_budget is used up", "refusal_patience is used up", "more traces were refused for good than can be listed",
		"too many traces fail at each try", "they cannot be decoded",
	}[r]
}

// Loss is what was given up for a reason.
type Loss struct {
	Reason        Reason
	Traces, Spans int64
}

// Losses is what a destination gave up and nobody was told of yet.
type Losses struct {
	mu     sync.Mutex
	untold [reasons]Loss
	told   [reasons]clock.Monotonic // when a reason was told last; 0 is never
	at     clock.Monotonic          // when something was given up last; 0 is never
	reason Reason                   // of the last
}

// Add counts a trace.
func (l *Losses) Add(r Reason, spans int, now clock.Monotonic) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.untold[r].Traces++
	l.untold[r].Spans += int64(spans)
	l.at, l.reason = max(now, 1), r
}

// Last returns when a trace was given up last, 0 if none was, and why.
func (l *Losses) Last() (at clock.Monotonic, r Reason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at, l.reason
}

// Take returns what is to be told now: of each reason all that was lost since it was told last, at most every ten seconds, or
// with all whenever that was.
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
