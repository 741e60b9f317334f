package spanlog

import (
	"slices"

	"github.com/slowburn/slowburn/internal/slab"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Chain is where one trace's records are in a log. The zero Chain is that of a trace without records. It holds no
// pointer and may be copied, but only one copy may be appended to or released.
type Chain struct{ last uint32 }

// Empty reports whether the chain has no records.
func (c Chain) Empty() bool { return c.last == 0 }

// run is the records of one trace in one segment, a list from the last to the first.
type run struct {
	segment uint32
	last    uint32 // offset of its last record
	bytes   uint32 // of its records, headers included; 0 in a run that was released
	older   uint32 // the run of the trace before it, 0 at the first
	sibling uint32 // another run in the same segment
}

// runs are a log's runs, by number.
type runs struct {
	slab.Slab[run]

	offsets []uint32 // scratch of records, kept for the next time
}

// in returns the chain's run in the segment with this number: its last one if that is there, else a new one.
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

// lastIn returns where the chain's last record in the segment with this number is, 0 if that is not the chain's last
// segment.
func (r *runs) lastIn(c Chain, number uint32) uint32 {
	if c.last != 0 {
		if last := r.At(c.last); last.segment == number {
			return last.last
		}
	}
	return 0
}

// grow adds a record of so many bytes to the chain, which was put into the segment with this number before: where the
// store fails the chain is as it was.
func (r *runs) grow(c *Chain, number uint32, s *segment, at uint32, bytes int) {
	run := r.in(c, number, s)
	run.last = at
	run.bytes += uint32(bytes)
	s.live += uint32(bytes)
}

// of returns the numbers of a chain's runs, the newest first, in buf.
func (r *runs) of(c Chain, buf []uint32) []uint32 {
	for n := c.last; n != 0; n = r.At(n).older {
		buf = append(buf, n)
	}
	return buf
}

// records returns the offsets of a run's records in the segment's bytes, the oldest first, and false where these are damaged: then
// those before the damage are missing. They are valid until the next call.
func (r *runs) records(b format.Records, s *segment, of *run) (offsets []uint32, sound bool) {
	r.offsets, sound = r.offsets[:0], true
	scope := uint32(0)
	for at := of.last; at != 0 && sound; {
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

// free frees the segment's runs, of which none is live.
func (r *runs) free(s *segment) {
	for n := s.runs; n != 0; {
		next := r.At(n).sibling
		r.Free(n)
		n = next
	}
	s.runs = 0
}
