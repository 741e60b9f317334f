package load

import (
	"bytes"
	"encoding/binary"
)

// locate finds the marks of every slot in the encoded request.
func (t *template) locate() {
	from := 0
	for n := range t.slots {
		s := &t.slots[n]
		s.traceID = t.find(from, markTrace|uint64(n))
		from = s.traceID
		s.spanID = t.find(from, markSpan|uint64(n))
		s.start = t.find(from, markStart|uint64(n))
		s.end = t.find(from, markEnd|uint64(n))
		if plan[s.span].parent >= 0 {
			s.parentID = t.find(from, markParent|uint64(n))
		}
		s.status = from + bytes.Index(t.body[from:], statusMark) + len(statusMark) - 1
	}
}

func (t *template) find(from int, mark uint64) int {
	var want [8]byte
	binary.LittleEndian.PutUint64(want[:], mark)
	i := bytes.Index(t.body[from:], want[:])
	if i < 0 {
		panic("a mark is missing in the encoded template")
	}
	return from + i
}

// patch turns a copy of the template's body into the request of the traces first, first+1, …, which start at these Unix
// nanoseconds. The times of a trace's spans do not depend on their request, or on when it is sent.
func (t *template) patch(body []byte, first uint64, starts []int64, mix Mix) {
	if t.service > 0 {
		digits(body[t.service:t.service+serviceDigits], mix64(first)%t.replicas)
	}
	for i := range t.slots {
		s := &t.slots[i]
		seq := first + uint64(s.trace)
		id := TraceID(seq)
		flavour := mix.Flavour(seq)
		copy(body[s.traceID:], id[:])
		binary.BigEndian.PutUint64(body[s.spanID:], spanID(seq, s.span))
		if parent := plan[s.span].parent; parent >= 0 {
			binary.BigEndian.PutUint64(body[s.parentID:], spanID(seq, parent))
		}
		p, start := plan[s.span], starts[s.trace]
		end := p.endMs
		if flavour == Slow && s.span == 0 {
			end = slowMs
		}
		binary.LittleEndian.PutUint64(body[s.start:], uint64(start+p.startMs*1e6))
		binary.LittleEndian.PutUint64(body[s.end:], uint64(start+end*1e6))
		if s.name > 0 {
			digits(body[s.name:s.name+operationDigits], mix64(seq*SpansPerTrace+uint64(s.span)+1)%t.operations)
		}
		body[s.status] = 0
		if flavour == Failing && s.span == failingSpan {
			body[s.status] = 2
		}
	}
}
