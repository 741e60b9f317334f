// Package exemplar bounds how many bad events of an objective become exemplars.
//
// Its type is Quota: how many of a minute were taken, and for which reasons. It takes no lock.
package exemplar

import (
	"sync/atomic"

	"github.com/slowburn/slowburn/internal/exemplars"
)

// Quota is the exemplars of one objective in the current minute. The zero value has none. Its methods may be called concurrently.
type Quota struct {
	slots [exemplars.MaxPerMinute]atomic.Pointer[taken]
}

// taken is an exemplar of a minute.
type taken struct {
	minute int64
	reason string
}

// share is the part of a minute's exemplars that one reason may take, so that a frequent reason leaves room for others.
func share(limit int) int { return (limit + 2) / 3 }

// Open reports whether the minute has fewer than so many exemplars.
func (q *Quota) Open(minute int64, limit int) bool {
	for i := range min(limit, len(q.slots)) {
		if t := q.slots[i].Load(); t == nil || t.minute != minute {
			return true
		}
	}
	return false
}

// Take takes one of so many exemplars of the minute, for a bad event with this reason. It reports whether it did: not if none is left, or
// the reason has its share. A minute never gets more than it may; a reason may where goroutines take at once.
func (q *Quota) Take(minute int64, limit int, reason string) bool {
	limit = min(limit, len(q.slots))
	same := 0
	for i := range limit {
		if t := q.slots[i].Load(); t != nil && t.minute == minute && t.reason == reason {
			if same++; same == share(limit) {
				return false
			}
		}
	}
	for i := range limit {
		t := q.slots[i].Load()
		if (t == nil || t.minute != minute) && q.slots[i].CompareAndSwap(t, &taken{minute, reason}) {
			return true
		}
	}
	return false
}
