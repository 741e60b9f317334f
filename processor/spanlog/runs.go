package spanlog

import (
	"slices"

	"github.com/slowburn/slowburn/internal/slab"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Chain refers to one trace's records in a log. The zero Chain has none. It holds no pointer and may be copied, but only
// one copy may be appended to or released.
type Chain struct{ last uint32 }

// Empty reports whether the chain has no records.
func (c Chain) Empty() bool { return c.last == 0 }

// run is the records of one trace in one segment, linked from the last to the first.
type run struct {
	segment uint32
	last    uint32 // offset of its last record
	bytes   uint32 // size of its records with their headers; 0 in a released run
	older   uint32 // the trace's run before it, 0 in the first
	sibling uint32 // the next run of the same segment, 0 in the last
	fact    uint16 // the slot of its last fact, 0 if it has none
}

// runs are a log's runs, by number.
type runs struct {
	slab.Slab[run]

	offsets []uint32 // scratch of records, kept for reuse
}

// in returns the chain's last run if that is in the segment with this number, else a new run there.
func (r *runs) in(c *Chain, number uint32, s *segment) *run {
	if c.last != 0 {
		if last := r.At(c.last); last.segment == number {
			return last
		}
	}
	n, added := r.New()
	added.segment, added.older = number, c.last
	c.last = n
	added.sibling, s.runs = s.runs, n
	s.liveRuns++
	return added
}

// lastIn returns the offset of the chain's last record if that is in the segment with this number, else 0.
func (r *runs) lastIn(c Chain, number uint32) uint32 {
	if c.last != 0 {
		if last := r.At(c.last); last.segment == number {
			return last.last
		}
	}
	return 0
}

// factIn returns the slot of the chain's last fact in the segment with this number, 0 if there is none.
func (r *runs) factIn(c Chain, number uint32) uint16 {
	if c.last != 0 {
		if last := r.At(c.last); last.segment == number {
			return last.fact
		}
	}
	return 0
}

// grow adds a record to the chain, by its offset and size in bytes. The record is already in the segment with this number,
// so that the chain is unchanged if the store fails.
func (r *runs) grow(c *Chain, number uint32, s *segment, at uint32, bytes int) {
	run := r.in(c, number, s)
	run.last = at
	run.bytes += uint32(bytes)
	s.live += uint32(bytes)
}

// of appends the numbers of a chain's runs to buf, the newest first.
func (r *runs) of(c Chain, buf []uint32) []uint32 {
	for n := c.last; n != 0; n = r.At(n).older {
		buf = append(buf, n)
	}
	return buf
}

// records returns the offsets of a run's records in the segment's bytes, the oldest first, and whether all are sound. If not,
// the damaged record and all older ones are missing. The offsets are valid until the next call.
func (r *runs) records(b format.Records, s *segment, target *run) (offsets []uint32, sound bool) {
	r.offsets, sound = r.offsets[:0], true
	scope := uint32(0)
	for at := target.last; at != 0 && sound; {
		if sound = b.Sound(at, s.sequence, s.checked); !sound {
			break
		}
		if ref := b.Ref(at); ref != scope {
			if sound = b.Sound(ref, s.sequence, s.checked) && b.Sound(b.Ref(ref), s.sequence, s.checked); !sound {
				break
			}
			scope = ref
		}
		r.offsets = append(r.offsets, at)
		prev := b.Prev(at)
		sound = prev < at
		at = prev
	}
	slices.Reverse(r.offsets)
	return r.offsets, sound
}

// free frees the runs of a segment without live runs.
func (r *runs) free(s *segment) {
	for n := s.runs; n != 0; {
		next := r.At(n).sibling
		r.Free(n)
		n = next
	}
	s.runs = 0
}
