// Package quota shares the memory for large traces among the senders of all destinations.
//
// Its type is Quota, which may be used concurrently. A destination that holds no share gets what it asks for, even more than is
// left: so none waits for another one, however slow that is, and every trace is read eventually. Within a destination senders
// get shares in the order in which they asked.
package quota

import (
	"slices"
	"sync"
)

// Quota is a number of bytes, of which shares are taken and given back.
type Quota struct {
	mu    sync.Mutex
	free  int64 // negative when destinations without a share took more than was left
	users []user
}

// user is a destination.
type user struct {
	shares  int             // number of its shares
	waiting []chan struct{} // wake channels of its waiting senders, in the order in which they asked
}

// New returns a Quota of so many bytes for so many destinations.
func New(bytes int64, destinations int) *Quota {
	return &Quota{free: bytes, users: make([]user, destinations)}
}

// Take takes a share for a sender, and reports whether it could. If not, the sender is woken when another try may succeed, and
// keeps its place in the queue until then, or until Leave.
func (q *Quota) Take(destination int, bytes int64, wake chan struct{}) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	u := &q.users[destination]
	place := slices.Index(u.waiting, wake)
	first := place == 0 || place < 0 && len(u.waiting) == 0
	if !first || bytes > q.free && u.shares > 0 {
		if place < 0 {
			u.waiting = append(u.waiting, wake)
		}
		return false
	}
	if place == 0 {
		u.waiting = slices.Delete(u.waiting, 0, 1)
	}
	q.free -= bytes
	u.shares++
	q.wakeFirst()
	return true
}

// Force takes a share for a sender, whatever others hold.
func (q *Quota) Force(destination int, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free -= bytes
	q.users[destination].shares++
}

// Return gives a share back.
func (q *Quota) Return(destination int, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free += bytes
	q.users[destination].shares--
	q.wakeFirst()
}

// Cancel removes a waiting sender from the queue.
func (q *Quota) Cancel(destination int, wake chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	u := &q.users[destination]
	if place := slices.Index(u.waiting, wake); place >= 0 {
		u.waiting = slices.Delete(u.waiting, place, place+1)
		q.wakeFirst()
	}
}

// wakeFirst wakes the first waiting sender of each destination.
func (q *Quota) wakeFirst() {
	for i := range q.users {
		if w := q.users[i].waiting; len(w) > 0 {
			select {
			case w[0] <- struct{}{}:
			default:
			}
		}
	}
}
