package delivery

import "github.com/slowburn/slowburn/processor/spanlog"

// memory is a sender's part of the memory budget: its loads, and the memory of the next component's calls.
type memory struct {
	pool    *spanlog.Pool
	base    int64 // always counted, so that deliveries continue however short memory is
	most    int64 // limit of a load, except for a large trace
	factor  int   // bytes that the next component takes per byte of spans
	counted int64
}

const (
	// shortFrom is the used share of the memory budget from which on loads are smaller. Relief begins there.
	shortFrom = 0.90
	// All senders together always count 1/baseShare of the memory budget, and their loads may take 1/mostShare of it.
	baseShare, mostShare = 32, 8
	// minLoadBytes is the least room of a load, however short memory is.
	minLoadBytes = 4 << 10
	// encodedFactor and decodedFactor are the bytes that an encoded or decoded request takes per byte of
	// spans.
	encodedFactor, decodedFactor = 1, 8
)

// newMemory returns the memory of one of so many senders.
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

// count counts the loads at work, and a spare one if it is not nil.
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

// free stops counting.
func (m *memory) free() { m.grow(0) }

func (m *memory) grow(to int64) {
	m.pool.Grow(to - m.counted)
	m.counted = to
}

// cost returns the memory of a load of so many bytes during its delivery.
func (m *memory) cost(bytes int) int64 { return m.pool.OnHeap((1 + m.factor) * bytes) }

// of returns the memory of a load during its delivery.
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

// room returns the limits of a load.
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
