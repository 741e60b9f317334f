package spanlog

import (
	"iter"
	"slices"
)

// Record is a span in the log. Its slices are the log's own: do not change them, and copy what you keep.
type Record struct {
	// Body is the span's message body.
	Body []byte
	// Resource and Scope are the headers that the span came with.
	Resource, Scope []byte
	// Origin identifies resource and scope: records with the same number have the same. The reverse does not hold,
	// because every segment stores its own.
	Origin uint64
}

// Records yields a trace's records, the oldest first. The log must not be used while it does.
func (l *Log) Records(c Chain) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		l.chain = l.chain[:0]
		for n := c.last; n != 0; n = l.runs.At(n).older {
			l.chain = append(l.chain, n)
		}
		for _, n := range slices.Backward(l.chain) {
			s := &l.segments[l.runs.At(n).segment]
			for _, at := range l.recordsOf(s, l.runs.At(n)) {
				scope := s.ref(at)
				record := Record{
					Body:     s.payload(at),
					Resource: s.payload(s.ref(scope)),
					Scope:    s.payload(scope),
					Origin:   s.sequence<<32 | uint64(scope),
				}
				if !yield(record) {
					return
				}
			}
		}
	}
}

// recordsOf returns the offsets of a run's records, the oldest first.
func (l *Log) recordsOf(s *segment, r *run) []uint32 {
	l.offsets = l.offsets[:0]
	for at := r.last; at != 0; at = s.prev(at) {
		l.offsets = append(l.offsets, at)
	}
	slices.Reverse(l.offsets)
	return l.offsets
}

// Usage is what a log holds.
type Usage struct {
	// Segments is how many segments are in use, Allocated their size in bytes.
	Segments, Allocated int
	// Live is how many bytes in them are spans that were not released.
	Live int
}

// Usage adds up what the log holds. It looks at every segment.
func (l *Log) Usage() Usage {
	var u Usage
	for i := range l.segments {
		if s := &l.segments[i]; s.buf != nil {
			u.Segments++
			u.Allocated += len(s.buf)
			u.Live += int(s.live)
		}
	}
	return u
}
