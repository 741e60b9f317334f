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

// Records yields a trace's records, the oldest first. Where a part of them cannot be read it yields an error instead and
// goes on behind it. The log must not be used while it does, and a record is valid until the next. pause, unless nil, is
// called now and then between two records; while it runs the log may be used for everything but this chain.
func (l *Log) Records(c Chain, pause func()) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		chain := l.chain[:0]
		if pause != nil {
			chain = nil // ours alone
		}
		for n := c.last; n != 0; n = l.runs.At(n).older {
			chain = append(chain, n)
		}
		if pause == nil {
			l.chain = chain
		}
		for i, n := range slices.Backward(chain) {
			if pause != nil && i < len(chain)-1 {
				pause()
			}
			r := l.runs.At(n)
			b, err := l.bytes(r.segment)
			if err != nil {
				if !yield(Record{}, err) {
					return
				}
				continue
			}
			sequence := l.segments[r.segment].sequence
			for _, at := range l.recordsOf(b, r) {
				scope := b.ref(at)
				record := Record{
					Body:     b.body(at),
					Resource: b.content(b.ref(scope)),
					Scope:    b.content(scope),
					Origin:   uint64(positionOf(sequence, scope)),
				}
				if !yield(record, nil) {
					return
				}
			}
		}
	}
}

// recordsOf returns the offsets of a run's records, the oldest first.
func (l *Log) recordsOf(b records, r *run) []uint32 {
	l.offsets = l.offsets[:0]
	for at := r.last; at != 0; at = b.prev(at) {
		l.offsets = append(l.offsets, at)
	}
	slices.Reverse(l.offsets)
	return l.offsets
}

// Usage is what a log holds.
type Usage struct {
	// Segments is how many segments are in use, Allocated their size in bytes.
	Segments, Allocated int
	// Cold is how many of the segments are not in memory, or packed there.
	Cold int
	// Live is how many bytes in them are spans that were not released.
	Live int
}

// Usage adds up what the log holds. It looks at every segment.
func (l *Log) Usage() Usage {
	var u Usage
	for i := range l.segments {
		s := &l.segments[i]
		if s.sequence == 0 {
			continue
		}
		u.Segments++
		u.Live += int(s.live)
		if s.cold != nil {
			u.Cold++
			u.Allocated += int(s.cold.size)
		} else {
			u.Allocated += len(s.mem.buf)
		}
	}
	return u
}
