package delivery

import (
	"slices"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/spanlog"
)

// memory is what a sender counts in the memory budget.
type memory struct {
	pool *spanlog.Pool
	kept int64 // by loads
}

// short reports whether there is little left.
func (m *memory) short() bool { return m.pool.OverMemory(0, shortFrom) > 0 }

// shortFrom is the share of the memory budget from which on loads are smaller, by shortBy. Relief begins where they are.
const (
	shortFrom = 0.90
	shortBy   = 8
)

// count counts a load whose memory was less before.
func (m *memory) count(before, after int) {
	n := m.pool.OnHeap(after) - m.pool.OnHeap(before)
	m.kept += n
	m.pool.Grow(n)
}

// free gives back what was counted.
func (m *memory) free() {
	m.pool.Grow(-m.kept)
	m.kept = 0
}

// during counts memory while a call runs.
func (m *memory) during(bytes int) (done func()) {
	n := m.pool.OnHeap(bytes)
	m.pool.Grow(n)
	return func() { m.pool.Grow(-n) }
}

// newLoad returns an empty load.
func (s *Sender) newLoad() *load {
	l := s.spare
	if l == nil {
		l = &load{d: s.d}
	}
	s.spare, l.idle = nil, false
	before := l.kept.Memory()
	l.reset()
	s.memory.count(before, l.kept.Memory())
	if s.memory.short() {
		l.room.bytes /= shortBy
		l.room.spans /= shortBy
	}
	return l
}

// recycle keeps a load for the next, if all of it is settled.
func (s *Sender) recycle(l *load) {
	if l.open > 0 || l.idle {
		return
	}
	l.idle = true
	if s.spare != nil {
		s.memory.count(l.kept.Memory(), 0)
		return
	}
	s.spare = l
}

// fill takes what is ready out of the log, shard by shard, and begins to deliver it. It returns why nothing could be read.
func (s *Sender) fill() error {
	b := s.d.out.Buffer
	l := s.newLoad()
	before := l.kept.Memory()
	s.pace.next = 0
	full := false
	for i := range s.members {
		m := s.members[(s.first+i)%len(s.members)]
		m.Lock()
		all := l.take(m, b.Now())
		m.Unlock()
		if full = !all; full {
			s.first = (s.first + i + 1) % len(s.members)
			break
		}
	}
	s.memory.count(before, l.kept.Memory())
	if len(l.traces) == 0 {
		s.recycle(l)
		return l.err
	}
	if !full {
		s.pace.next = b.Now().Add(gatherFor)
	}
	s.begin(l)
	return nil
}

// begin dresses the traces of a load and puts them to work. One that cannot be dressed would fail every time, so it is lost.
func (s *Sender) begin(l *load) {
	before := l.kept.Memory()
	for i := range l.traces {
		if err := s.dresser.dress(l, i); err != nil {
			s.d.out.Lost.Add(int64(l.traces[i].Spans))
			s.d.out.Logger.Error("kept spans cannot be decoded and are lost", zap.Error(err), s.d.field(),
				zap.Int("spans", l.traces[i].Spans))
			l.giveUp(i)
		}
	}
	s.memory.count(before, l.kept.Memory())
	s.put(&piece{load: l, from: 0, to: len(l.traces)})
}

// put puts those traces of a piece to work that are not settled.
func (s *Sender) put(p *piece) {
	var runs []*piece
	for i := p.from; i < p.to; i++ {
		switch last := len(runs) - 1; {
		case p.traces[i].settled:
		case last >= 0 && runs[last].to == i:
			runs[last].to++
		default:
			run := *p
			run.from, run.to = i, i+1
			runs = append(runs, &run)
		}
	}
	s.work = slices.Insert(s.work, 0, runs...)
	s.recycle(p.load)
}
