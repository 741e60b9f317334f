package tailsampling

import "time"

// breath is the least time between two runs of the decider, so that what falls due in it is decided together.
const breath = 10 * time.Millisecond

// unlock ends a visit to a shard and wakes who has something to do after it.
func (p *Sampler) unlock(s *shard) {
	s.count()
	_, at, _ := s.first()
	sooner := at < s.planned
	if sooner {
		s.planned = at
	}
	deliver := !s.ready.empty()
	notices := s.notices
	s.notices = nil
	s.mu.Unlock()
	if sooner {
		wake(p.timer)
	}
	p.wakeShrinker()
	if deliver {
		wake(s.emitter)
	}
	p.pass(notices)
}

// wake lets the goroutine that waits for c look again. Waking it twice before it does is the same as once.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// decideDue is the decider: it decides what is due in all shards, until stop is closed. It sleeps until the next is due,
// for good when there is none.
func (p *Sampler) decideDue(stop <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-stop:
			return
		case <-p.timer:
		case <-timer.C:
		}
		began := time.Now()
		next := p.decideOnce()
		p.runs.Add(1)
		p.times.since(stageDecide, began)
		p.recordRun(time.Since(began))
		timer.Stop()
		if next != never {
			timer.Reset(max(breath, time.Duration(next-p.now())))
		}
		if !pause(breath, stop) {
			return
		}
	}
}

// pause waits, and reports whether it was not stopped.
func pause(d time.Duration, stop <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
		return false
	}
}

// decideOnce decides what is due, and returns when the next will be.
func (p *Sampler) decideOnce() (next int64) {
	next = never
	overdue := int64(-1)
	var taken ages
	for _, s := range p.shards {
		for more := true; more; {
			var late, at int64
			s.mu.Lock()
			late, more, at = s.due(p.now())
			s.planned = at
			s.ages, taken = taken, s.ages
			p.unlock(s)
			p.recordAges(taken)
			taken.reset()
			overdue = max(overdue, late)
			if !more {
				next = min(next, at)
			}
		}
	}
	p.recordLateness(overdue)
	return next
}
