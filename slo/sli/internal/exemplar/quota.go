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
	// full is the last minute that has all its exemplars, plus one.
	full atomic.Int64
}

// taken is an exemplar of a minute.
type taken struct {
	minute int64
	reason string
}

// share is the part of a minute's exemplars that one reason may take, so that a frequent reason leaves room for others.
func share(limit int) int { return (limit + 2) / 3 }

// Open reports whether the minute may have more exemplars.
func (q *Quota) Open(minute int64) bool { return q.full.Load() != minute+1 }

// Take takes one of so many exemplars of the minute, for a bad event with this reason. It reports whether it did: not if none is left, or
// the reason, which is empty where there is one only, has its share. A minute never gets more than it may; a reason may where goroutines
// take at once.
func (q *Quota) Take(minute int64, limit int, reason string) bool {
	limit = min(limit, len(q.slots))
	same, most := 0, share(limit)
	for i := range limit {
		if t := q.slots[i].Load(); t != nil && t.minute == minute && t.reason == reason {
			if same++; same == most && reason != "" {
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
	q.full.Store(minute + 1)
	return false
}
