package delivery

import "slices"

// newLoad returns an empty load, with room according to the free memory.
func (s *Sender) newLoad() *load {
	l := s.spare
	if l == nil || s.memory.short() {
		l = &load{}
	}
	s.spare = nil
	l.reset()
	l.d, l.shelf, l.sender, l.large = s.d, s.shelf, s, large{}
	s.shelf.begin(l)
	l.room = s.memory.room()
	s.loads = append(s.loads, l)
	return l
}

// recycle offers a settled load to other senders, and keeps one for reuse.
func (s *Sender) recycle(l *load) {
	i := slices.Index(s.loads, l)
	if l.open > 0 || i < 0 {
		return
	}
	s.loads = slices.Delete(s.loads, i, i+1)
	l.giveBack()
	s.shelf.giveBack(l.borrowed)
	l.borrowed = l.borrowed[:0]
	if s.spare = s.shelf.put(l); s.spare != nil && s.spare.kept.Memory() > maxKept {
		s.spare = nil // before new spans are accepted, which may need all of its memory
	}
	s.memory.count(s.loads, s.spare)
}

// fill takes ready traces out of the log, shard by shard, and begins to deliver them. It returns the error if none could
// be read.
func (s *Sender) fill() error {
	b := s.d.out.Buffer
	l := s.newLoad()
	s.pace.next = 0
	full, holder := l.fill(s.members, &s.first)
	for holder != nil && len(l.traces) == 0 {
		s.shelf.await(holder)
		full, holder = l.fill(s.members, &s.first)
	}
	if s.large.blocked = l.blocked; !l.blocked {
		s.d.out.quota.Cancel(int(s.d.Index), s.wake)
	}
	if len(l.traces) == 0 {
		s.recycle(l)
		return l.err
	}
	if !full {
		s.pace.next = s.pace.turn(b.Now())
	}
	s.begin(l)
	return nil
}

// begin dresses the traces of a load and adds them to the work. A trace that cannot be dressed would fail every time, so it
// is lost.
func (s *Sender) begin(l *load) {
	for i := range l.traces {
		t := &l.traces[i]
		if t.dressed {
			continue
		}
		found, err := s.dresser.Dress(&l.kept, i, &t.Kept, &l.repaired)
		if t.Found, t.dressed = found, err == nil; err != nil {
			l.lose(i, err)
		}
	}
	s.memory.count(s.loads, s.spare)
	s.put(&piece{load: l, from: 0, to: len(l.traces)})
}

// put adds the unsettled traces of a piece to the work.
func (s *Sender) put(p *piece) {
	s.work.put(p)
	s.recycle(p.load)
}
