package spanlog

import (
	"fmt"
	"iter"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// errChanged is a record that is not as it was written.
var errChanged = fmt.Errorf("read spans back: %w: a record has changed since it was written", format.ErrDamaged)

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
// called between two records of different segments, and while a segment is read from its file.
func (l *segments) Records(c Chain, pause Pause) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		var chain []uint32
		if pause == nil {
			l.runs.chain = l.runs.of(c, l.runs.chain[:0])
			chain = l.runs.chain
		} else {
			chain = l.runs.of(c, nil) // ours alone
		}
		for i := len(chain) - 1; i >= 0; i-- { // not by an iterator, which would be garbage
			n := chain[i]
			if pause != nil {
				l.ready(n, i < len(chain)-1, pause)
			}
			r := l.runs.At(n)
			b, err := l.bytes(r.segment)
			if err != nil {
				if !yield(Record{}, err) {
					return
				}
				continue
			}
			sequence := l.list[r.segment].sequence
			offsets, sound := l.runs.records(b, &l.list[r.segment], r)
			if !sound && !yield(Record{}, errChanged) {
				return
			}
			for _, at := range offsets {
				scope := b.Ref(at)
				record := Record{
					Body:     b.Body(at),
					Resource: b.Content(b.Ref(scope)),
					Scope:    b.Content(scope),
					Origin:   uint64(format.PositionOf(sequence, scope)),
				}
				if !yield(record, nil) {
					return
				}
			}
		}
	}
}
