// Package quota shares the memory for large traces among the senders of all destinations.
//
// Its type is Quota, which may be used concurrently. A destination that has nothing of it gets what it asks for, be it more than
// there is: so none waits for another one, however slow that is, and every trace is read some day. Within a destination senders
// get it in the order in which they asked.
package quota

import (
	"slices"
	"sync"
)

// Quota is so many bytes, of which shares are taken and given back.
type Quota struct {
	mu    sync.Mutex
	free  int64 // negative where destinations that had nothing took more than there was
	users []user
}

// user is a destination.
type user struct {
	shares  int             // that it has
	waiting []chan struct{} // of its senders, what wakes them, in the order in which they asked
}

// New returns a Quota of so many bytes for so many destinations.
func New(bytes int64, destinations int) *Quota {
	return &Quota{free: bytes, users: make([]user, destinations)}
}

// Take takes a share for a sender, and reports whether it got it. One that did not is woken when it may be worth another try, and
// keeps its place until that, or Leave.
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

// Force takes a share for a sender whatever others have.
func (q *Quota) Force(destination int, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free -= bytes
	q.users[destination].shares++
}

// Give gives a share back.
func (q *Quota) Give(destination int, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free += bytes
	q.users[destination].shares--
	q.wakeFirst()
}

// Leave ends that a sender waits.
func (q *Quota) Leave(destination int, wake chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	u := &q.users[destination]
	if place := slices.Index(u.waiting, wake); place >= 0 {
		u.waiting = slices.Delete(u.waiting, place, place+1)
		q.wakeFirst()
	}
}

// wakeFirst wakes the senders that are the next of their destinations.
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
