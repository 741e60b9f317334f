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

// A trace waits for its next try for half a second, and later for longer. A trace that waits apart is tried again after half a
// minute, and later after up to ten minutes.
const (
	firstApart = 30 * time.Second
	maxApart   = 10 * time.Minute
)

// maxWaiting is the largest number of a sender's waiting traces. Over it, the one that would wait longest is given
// up.
const maxWaiting = 10_000

// forever is longer than any wait.
const forever = time.Hour

// waiting holds the traces of a sender that are out of order: they wait for their next try, or were refused and are to be
// retried on request. It may be used concurrently.
type waiting struct {
	apart    *atomic.Int64 // number of traces of all senders that wait apart
	mu       sync.Mutex
	list     []aside // by due
	stranded int     // number of stranded ones among them
	hurried  bool    // nothing may wait again
}

// aside is a trace in the log that is out of order.
type aside struct {
	ref      shard.Ref
	member   *buffer.Member
	due      clock.Monotonic
	delay    time.Duration
	apart    bool // it waits for long
	stranded bool // it waits because nothing was accepted and there was no room for it
	trial.Trial
}

// count counts a trace that begins to wait, or with -1 stops.
func (w *waiting) count(a aside, n int) {
	if a.apart {
		w.apart.Add(int64(n))
	}
	if a.stranded {
		w.stranded += n
	}
}

// add makes a trace wait. Once nothing may wait any more, it drops the trace, which has been tried. If too many wait, it
// removes and returns the last one.
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

// crowded reports whether too many wait for more to be stranded: an outage, however long, gives nothing up.
func (w *waiting) crowded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.list) > maxWaiting/2
}

// rescue makes stranded traces due, as the destination accepts traces again.
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

// take takes the first trace that is due.
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

// next returns the time until one is due.
func (w *waiting) next(now clock.Monotonic) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.list) == 0 {
		return forever
	}
	return w.list[0].due.Sub(now)
}

// hurry makes all traces due, for the last time.
func (w *waiting) hurry() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hurried = true
}

// retry sends a refused trace again. It may be called by any goroutine.
func (s *Sender) retry(a aside) {
	s.wait(a)
	buffer.Wake(s.wake)
}

// wait makes a trace that is aside in the log wait until it is due. If too many wait, the last one is given up.
func (s *Sender) wait(a aside) {
	if last, full := s.waiting.add(a); full {
		s.d.giveUpAside(last.member, last.ref, losses.WaitingList)
	}
}

// longer makes a trace wait longer than before, from now on.
func (a aside) longer(now clock.Monotonic) aside {
	shortest, longest := firstBackoff, firstApart
	if a.apart {
		shortest, longest = firstApart, maxApart
	}
	a.delay = min(max(2*a.delay, shortest), longest)
	a.due = max(a.due, now.Add(a.delay))
	return a
}

// takeWaiting takes a due trace back out of the log, and reports whether there was one. It skips traces that were given
// up meanwhile.
func (s *Sender) takeWaiting() bool {
	b := s.d.out.Buffer
	for {
		a, ok := s.waiting.take(b.Now())
		if !ok {
			return false
		}
		l := s.newLoad()
		l.forced = true // there is one per sender, and it must not wait for others again
		a.member.Lock()
		out := a.member.Outgoing(s.d.Index)
		k, held := out.TakeParked(a.ref, b.Now())
		readable := held && l.add(a.member, k)
		if held && !readable {
			out.Park(k.Slot)
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
			s.d.warn("reading kept traces back failed, retrying", l.err)
			s.recycle(l)
			s.wait(a.longer(b.Now()))
		default:
			s.recycle(l)
		}
	}
}
