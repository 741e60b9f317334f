package delivery

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/losses"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/trial"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// A trace that waits for its next try does so for half a second, and later for longer. When it waits apart it is tried again after
// half a minute, and later after up to ten.
const (
	firstApart = 30 * time.Second
	maxApart   = 10 * time.Minute
)

// maxWaiting is how many traces of a sender wait. Where there are more, that which would wait longest is given up.
const maxWaiting = 10_000

// forever is longer than anything waits.
const forever = time.Hour

// waiting is the traces of a sender that are not in their order any more: they wait for their next try, for long or not, or
// were refused and are asked for. It may be used concurrently.
type waiting struct {
	apart    *atomic.Int64 // how many of all senders wait apart
	mu       sync.Mutex
	list     []aside // by due
	stranded int     // of these, that are
	hurried  bool    // nothing is to wait a second time
}

// aside is such a trace, in the log.
type aside struct {
	ref      shard.Ref
	member   *buffer.Member
	due      clock.Monotonic
	delay    time.Duration
	apart    bool // it waits for long
	stranded bool // and not for what it drew: nothing was accepted, and there was no room for it
	trial.Trial
}

// count counts a trace that begins to wait, or with -1 ends.
func (w *waiting) count(a aside, n int) {
	if a.apart {
		w.apart.Add(int64(n))
	}
	if a.stranded {
		w.stranded += n
	}
}

// add lets a trace wait. Where nothing is to wait any more it is dropped: it was tried. Where too many wait, the last of them
// is returned and does not.
func (w *waiting) add(a aside) (last aside, full bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hurried {
		return aside{}, false
	}
	i, _ := slices.BinarySearchFunc(w.list, a.due+1, func(a aside, due clock.Monotonic) int { return cmp.Compare(a.due, due) })
	w.list = slices.Insert(w.list, i, a)
	w.count(a, 1)
	if full = len(w.list) > maxWaiting; full {
		last = w.list[maxWaiting]
		w.list = w.list[:maxWaiting]
		w.count(last, -1)
	}
	return last, full
}

// crowded reports whether so many wait that nothing is to be stranded: an outage, however long, gives nothing up.
func (w *waiting) crowded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.list) > maxWaiting/2
}

// rescue makes due what is stranded: the destination accepts traces again.
func (w *waiting) rescue(now clock.Monotonic) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stranded == 0 {
		return
	}
	w.stranded = 0
	for i := range w.list {
		if a := &w.list[i]; a.stranded {
			a.stranded, a.due = false, min(a.due, now)
		}
	}
	slices.SortStableFunc(w.list, func(a, b aside) int { return cmp.Compare(a.due, b.due) })
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
	w.count(a, -1)
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

// retry has a trace sent that was refused. It may be called by any goroutine.
func (s *Sender) retry(a aside) {
	s.wait(a)
	buffer.Wake(s.wake)
}

// wait lets a trace wait that is aside in the log, until it is due. Where too many wait the last of them is given up.
func (s *Sender) wait(a aside) {
	if last, full := s.waiting.add(a); full {
		s.d.giveUpAside(last.member, last.ref, losses.WaitingList)
	}
}

// longer makes a trace wait longer than before, and not until it is due.
func (a aside) longer(now clock.Monotonic) aside {
	shortest, longest := firstBackoff, firstApart
	if a.apart {
		shortest, longest = firstApart, maxApart
	}
	a.delay = min(max(2*a.delay, shortest), longest)
	a.due = max(a.due, now.Add(a.delay))
	return a
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
		l := s.newLoad()
		l.forced = true // it is one for each sender, and cannot wait for others twice
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
			s.wait(a.longer(b.Now()))
		default:
			s.recycle(l)
		}
	}
}
