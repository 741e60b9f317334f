package tailsampling

import "github.com/slowburn/slowburn/processor/spanlog"

// decideEarly decides the oldest pending trace of at most this rank before its time, and reports whether there was one.
//
// A trace's rank only ever rises (but for policies with an upper bound, which then makes it go a little later), so
// that what the cursor has passed need not be looked at again.
func (s *shard) decideEarly(most rank, why trigger, now int64) bool {
	for n := s.cursors[most]; n != 0; n = s.waiting.next(&s.entries, n) {
		if most == failed || s.rank(n, now) <= most {
			s.cursors[most] = n // settle moves it on
			s.decide(n, why, now)
			return true
		}
	}
	s.cursors[most] = 0
	return false
}

// decideOverCount decides traces early while there are more than allowed. What another shard has too much of, that shard
// decides at its next visit.
func (s *shard) decideOverCount(now int64) {
	for most := range ranks {
		for s.most > 0 && s.pending.Load() > s.most {
			if !s.decideEarly(most, byCount, now) {
				break
			}
		}
	}
}

// highWater is the share of the budget from which traces are decided early, lowWater where that stops.
const (
	highWater = 0.90
	lowWater  = 0.85
)

// denseEnough is the share of a segment that live spans must fill for it not to be compacted under pressure.
const denseEnough = 0.75

// relieve makes room for so many bytes: it forgets traces that were not sampled, shrinks segments, and where that is not
// enough it decides traces early, boring ones first, the oldest of each shard. One goroutine does it at a time; with wait
// the others come after it, else they leave it to it.
func (p *Sampler) relieve(bytes int64, wait bool) {
	if wait {
		p.relief.Lock()
	} else if !p.relief.TryLock() {
		return
	}
	defer p.relief.Unlock()
	for p.relieveOnce(p.excess(bytes, boring), bytes, (*shard).forgetOldest) {
	}
	p.makeSmaller(bytes)
	for most := range ranks {
		early := func(s *shard, now int64) int64 {
			before := s.stats.pendingBytes
			if !s.decideEarly(most, byMemory, now) {
				return 0
			}
			return max(1, before-s.stats.pendingBytes)
		}
		for p.relieveOnce(p.excess(bytes, most), bytes, early) {
		}
		if p.excess(bytes, failed) <= 0 {
			break
		}
	}
	for _, m := range p.emitters {
		wake(m.hurry)
	}
}

// relieveOnce lets every shard give up its part of what is too much, and reports whether that helped and more may be
// needed. One gives up a trace, and returns how many bytes of spans that was.
func (p *Sampler) relieveOnce(excess, bytes int64, one func(s *shard, now int64) int64) bool {
	if excess <= 0 {
		return false
	}
	part := excess/int64(len(p.shards)) + 1
	progress := false
	for _, s := range p.shards {
		now := p.now()
		s.mu.Lock()
		for given := int64(0); given < part; {
			n := one(s, now)
			if n == 0 {
				break
			}
			given += n
			progress = true
		}
		s.log.SetTime(s.unixMilli(now))
		if err := s.compact(p.onDisk && p.pool.OverDisk(bytes, lowWater) > 0); err != nil {
			p.complain("segments cannot be compacted", err, 0)
		}
		p.unlock(s)
	}
	return progress
}

// excess is by how much the buffer is too full for traces of this rank to stay. Boring ones go as soon as there is too
// little room. For what is likely to be kept, that which is decided and only waits for its delivery does not count:
// deciding more would not make that faster.
func (p *Sampler) excess(bytes int64, most rank) int64 {
	over := p.pool.Over(bytes, lowWater)
	if over <= 0 || most == boring {
		return over
	}
	for _, s := range p.shards {
		s.mu.Lock()
		over -= s.stats.undeliveredBytes
		s.mu.Unlock()
	}
	return over
}

// compact makes room by copying the last spans out of segments. Should the disk fail meanwhile, those that were not
// copied are found at the next start.
func (s *shard) compact(disk bool) (err error) {
	if s.journal != nil {
		defer spanlog.Guard(&err)()
	}
	s.log.Compact(denseEnough, disk)
	return nil
}
