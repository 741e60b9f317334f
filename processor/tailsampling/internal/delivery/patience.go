package delivery

import "github.com/slowburn/slowburn/internal/clock"

// losePatience gives up traces for which the destination has refused the gateway for too long: those without an error first.
func (s *Sender) losePatience(now clock.Monotonic) {
	before, out := s.d.outOfPatience(now)
	if !out {
		return
	}
	for _, failed := range []bool{false, true} {
		for _, m := range s.members {
			m.Lock()
			for k, more := m.Outgoing(s.d.Index).GiveUpOldest(failed, before, now); more; k, more = m.Outgoing(s.d.Index).GiveUpOldest(failed, before, now) {
				s.d.GaveUp(&k)
			}
			m.Unlock()
		}
		work := s.work
		s.work = nil
		for _, p := range work {
			s.giveUpOld(p, failed, before)
		}
	}
}

// giveUpOld gives up traces of a piece that were decided before an instant, and puts the others to work.
func (s *Sender) giveUpOld(p *piece, failed bool, before clock.Monotonic) {
	for i := p.from; i < p.to; i++ {
		if t := &p.traces[i]; t.DecidedAt < before && (failed || !t.Failed) {
			p.giveUp(i)
		}
	}
	rest := s.work
	s.work = nil
	s.put(p)
	s.work = append(rest, s.work...)
}
