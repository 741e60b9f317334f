package delivery

import (
	"slices"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
)

// work is the pieces that a sender delivers, the next one first.
type work []*piece

// next takes the next piece to send out of the work. Traces that may be the cause of their failures are not sent again before others
// were accepted: until then single traces are tried, another one each time. A destination that accepts nothing gets little by this,
// and if the traces are the cause, one of the others is accepted soon. It returns nil if all traces in hand wait apart by now, and
// those in their place could not be read.
func (s *Sender) next() *piece {
	accepted := s.d.acceptance(s.d.out.Buffer.Now())
	for {
		p := s.work[0]
		suspect := p.Suspect(p.several())
		if suspect && !p.OthersAccepted(accepted) {
			return s.probe()
		}
		s.work = s.work[1:]
		if !suspect || !p.several() {
			return p
		}
		s.halve(p) // the destination works: find out which half fails
	}
}

// probe returns a trace that was not tried alone, as long as there is one: the first of traces that were never sent, from
// the log if none is in hand, then those in hand, then more of the log.
func (s *Sender) probe() *piece {
	p := s.work.fresh()
	if p == nil && len(s.loads) < maxLoads {
		s.fetch()
		p = s.work.fresh()
	}
	if p == nil {
		p = s.work.untried()
	}
	if p == nil {
		s.makeRoom()
		p = s.work.fresh()
	}
	if p == nil { // all were tried: start again
		for _, p := range s.work {
			p.tried = p.from
		}
		p = s.work.untried()
	}
	return p
}

// maxLoads is the number of loads of a sender while the cause of their failures is unknown.
const maxLoads = 2

// fetch takes a load from the log and appends it to the work.
func (s *Sender) fetch() {
	before := s.work
	s.work = nil
	if failed := s.fill(); failed != nil {
		s.d.warn("reading kept traces back failed, retrying", failed)
	}
	s.work = append(before, s.work...)
}

// makeRoom takes a load from the log, if there are more traces, in place of the oldest in hand, whose traces wait apart until
// another one is accepted.
func (s *Sender) makeRoom() {
	if s.waiting.crowded() || !slices.ContainsFunc(s.members, func(m *buffer.Member) bool {
		m.Lock()
		defer m.Unlock()
		_, more := m.Outgoing(s.d.Index).Next()
		return more
	}) {
		return
	}
	oldest := s.loads[0]
	var rest work
	for _, p := range s.work {
		if p.load != oldest {
			rest = append(rest, p)
			continue
		}
		for i := p.from; i < p.to; i++ {
			s.setAside(p, i, aside{stranded: true, apart: true})
		}
	}
	s.work = rest
	s.recycle(oldest)
	s.fetch()
}

// fresh takes the first trace of a piece that was never sent, nil if there is none.
func (w *work) fresh() *piece {
	for i, p := range slices.Backward(*w) {
		if !p.sent && !p.probed {
			p.probed = true
			return w.alone(i)
		}
	}
	return nil
}

// untried takes a trace that was not tried alone, nil if there is none.
func (w *work) untried() *piece {
	for i, p := range slices.Backward(*w) {
		if p.tried < p.to {
			return w.whole(i)
		}
	}
	return nil
}

// alone takes one trace of a piece. reconstruct adds its findings when traces are first sent, to all that are sent together: a
// trace of a piece that was never sent becomes a piece of its own. From other pieces it is lent.
func (w *work) alone(i int) *piece {
	p := (*w)[i]
	if !p.several() {
		p.tried = p.to
		*w = slices.Delete(*w, i, i+1)
		return p
	}
	one := *p
	one.from = p.tried
	one.to = one.from + 1
	p.tried, one.tried = one.to, one.to
	if p.sent {
		one.of = p
	} else {
		p.from = one.to
	}
	return &one
}

// whole is alone, except for a piece of which only the first trace was sent: it takes that as it is.
func (w *work) whole(i int) *piece {
	p := (*w)[i]
	if p.sent {
		return w.alone(i)
	}
	p.tried = p.to
	*w = slices.Delete(*w, i, i+1)
	return p
}

// unsettled returns the runs of unsettled traces of a piece, in order.
func (p *piece) unsettled() (runs []*piece) {
	for i := p.from; i < p.to; i++ {
		switch last := len(runs) - 1; {
		case p.traces[i].settled:
		case last >= 0 && runs[last].to == i:
			runs[last].to++
		default:
			run := *p
			run.from, run.to, run.tried = i, i+1, max(i, p.tried)
			runs = append(runs, &run)
		}
	}
	return runs
}

// put puts the unsettled traces of a piece into the work: in its place if it is there, otherwise in front.
func (w *work) put(p *piece) {
	i := slices.Index(*w, p)
	if i < 0 {
		*w = slices.Insert(*w, 0, p.unsettled()...)
		return
	}
	*w = slices.Replace(*w, i, i+1, p.unsettled()...)
}
