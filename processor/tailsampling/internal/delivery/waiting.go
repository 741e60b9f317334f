package delivery

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/trial"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// A trace that waits apart is tried again after this long, and later after up to so long.
const (
	firstApart = 30 * time.Second
	maxApart   = 10 * time.Minute
)

// maxApartTraces is how many traces of a sender wait apart. Where there are more, they wait with the others.
const maxApartTraces = 4096

// forever is longer than anything waits.
const forever = time.Hour

// waiting is the traces of a sender that are not in their order any more: they wait apart, or were refused and are asked for.
// It may be used concurrently.
type waiting struct {
	mu      sync.Mutex
	list    []aside // by due
	hurried bool    // nothing is to wait a second time
}

// aside is such a trace, in the log.
type aside struct {
	ref    shard.Ref
	member *buffer.Member
	due    clock.Monotonic
	delay  time.Duration
	trial.Trial
}

// add lets a trace wait. Where nothing is to wait any more it is dropped: it was tried.
func (w *waiting) add(a aside) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hurried {
		return
	}
	i, _ := slices.BinarySearchFunc(w.list, a.due+1, func(a aside, due clock.Monotonic) int { return cmp.Compare(a.due, due) })
	w.list = slices.Insert(w.list, i, a)
}

// full reports whether as many wait as may.
func (w *waiting) full() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.list) >= maxApartTraces
}

// take returns the first that is due.
func (w *waiting) take(now clock.Monotonic) (a aside, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.list) == 0 || !w.hurried && w.list[0].due > now {
		return aside{}, false
	}
	a = w.list[0]
	w.list = slices.Delete(w.list, 0, 1)
	return a, true
}

// next is how long it is until one is due.
func (w *waiting) next(now clock.Monotonic) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.list) == 0 {
		return forever
	}
	return w.list[0].due.Sub(now)
}

// hurry makes all due, for the last time.
func (w *waiting) hurry() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hurried = true
}

// retry has a trace sent that was refused.
func (s *Sender) retry(a aside) {
	s.waiting.add(a)
	buffer.Wake(s.wake)
}

// takeWaiting takes a trace that is due back out of the log, and reports whether there is one. Those that were given up
// meanwhile are passed over.
func (s *Sender) takeWaiting() bool {
	b := s.d.out.Buffer
	for {
		a, ok := s.waiting.take(b.Now())
		if !ok {
			return false
		}
		if a.delay > 0 { // it was not asked for
			s.d.Apart.Add(-1)
		}
		l := s.newLoad()
		a.member.Lock()
		out := a.member.Outgoing(s.d.Index)
		k, held := out.TakeAside(a.ref, b.Now())
		readable := held && l.add(a.member, k)
		if held && !readable {
			out.PutAside(k.Slot)
		}
		a.member.Unlock()
		switch {
		case readable:
			s.begin(l)
			for _, p := range s.work {
				p.Trial, p.delay, p.alone = a.Trial, a.delay, true
			}
			if len(s.work) > 0 {
				return true
			}
		case held:
			s.d.warn("kept traces cannot be read back: they are tried again", l.err)
			s.recycle(l)
			s.waiting.again(s.d, a)
		default:
			s.recycle(l)
		}
	}
}

// again lets a trace that is aside in the log wait, longer than before.
func (w *waiting) again(d *Destination, a aside) {
	a.delay = min(max(2*a.delay, firstApart), maxApart)
	a.due = d.out.Buffer.Now().Add(a.delay)
	d.Apart.Add(1)
	w.add(a)
}
