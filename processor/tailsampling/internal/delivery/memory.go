package delivery

import "github.com/slowburn/slowburn/processor/spanlog"

// memory is what a sender counts in the memory budget: its loads, and what the next component makes of them.
type memory struct {
	pool    *spanlog.Pool
	base    int64 // always counted, so that something can be delivered however short memory is
	most    int64 // a load is not to take more, but for one that is a large trace
	factor  int   // bytes that the next component takes for each byte of spans
	counted int64
}

const (
	// shortFrom is the share of the memory budget over which loads are smaller. Relief begins there.
	shortFrom = 0.90
	// baseShare is the part of the memory budget that is always counted, for all senders together, and mostShare the part that
	// their loads may take.
	baseShare, mostShare = 32, 8
	// minLoadBytes is the least that a load may hold, however short memory is.
	minLoadBytes = 4 << 10
	// encodedFactor and decodedFactor are what a request takes, and the same decoded, for each byte of spans.
	encodedFactor, decodedFactor = 1, 8
)

// newMemory is that of one of so many senders.
func newMemory(pool *spanlog.Pool, senders int, encoded bool) memory {
	each := pool.Limit() / int64(senders)
	m := memory{pool: pool, base: each / baseShare, most: each / mostShare, factor: decodedFactor}
	if encoded {
		m.factor = encodedFactor
	}
	return m
}

// short reports whether memory is short.
func (m *memory) short() bool { return m.pool.OverMemory(0, shortFrom) > 0 }

// set counts so many bytes of the heap.
func (m *memory) set(bytes int) { m.grow(max(m.base, m.pool.OnHeap(bytes))) }

// count counts loads that are at work, and one that is spare, if it is not nil.
func (m *memory) count(loads []*load, spare *load) {
	bytes := 0
	for _, l := range loads {
		bytes += m.of(l)
	}
	if spare != nil {
		bytes += m.of(spare)
	}
	m.set(bytes)
}

// free counts nothing any more.
func (m *memory) free() { m.grow(0) }

func (m *memory) grow(to int64) {
	m.pool.Grow(to - m.counted)
	m.counted = to
}

// cost is what a load of so many bytes takes while it is delivered.
func (m *memory) cost(bytes int) int64 { return m.pool.OnHeap((1 + m.factor) * bytes) }

// of is what a load takes while it is delivered.
func (m *memory) of(l *load) int {
	if l.open == 0 {
		return l.kept.Memory()
	}
	bytes := l.kept.Memory() + m.factor*len(l.kept.Bytes)
	for _, of := range l.borrowed {
		bytes += of.kept.Memory()
	}
	return bytes
}

// room is how much a load may hold.
func (m *memory) room() room {
	r := room{bytes: maxLoadBytes, spans: maxLoadSpans}
	most := m.most
	if m.short() {
		most = m.base
	}
	for r.bytes > minLoadBytes && m.pool.OnHeap(r.bytes*3/2+m.factor*r.bytes) > most {
		r.bytes /= 2
		r.spans = max(1, r.spans/2)
	}
	return r
}
