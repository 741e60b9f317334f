package tracefile

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"

	"go.etcd.io/bbolt"
)

// A stream is a set of positions in descending order.
type stream interface {
	// seek returns the highest position in the set that is not above at, false if there is none. A search that has run out of
	// steps may get a position below at that is higher, and not in the set.
	seek(at position) (position, bool)
}

// posting is the stream of the traces that have any of some terms. It holds the positions of one grain at a
// time.
type posting struct {
	r      *reading
	cursor *bbolt.Cursor
	terms  []uint64

	loaded    bool
	grain     uint32
	positions []position // ascending
}

func (p *posting) seek(at position) (position, bool) {
	for grain, ok := grainOf(at.start()), len(p.terms) > 0; ok; grain, ok = p.before(grain) {
		p.load(grain)
		if n, found := slices.BinarySearchFunc(p.positions, at, position.compare); found || n > 0 {
			if found {
				n++
			}
			return p.positions[n-1], true
		}
		if grain < grainOf(at.start()) && p.r.steps > maxSteps {
			return lastOf(grain), true
		}
	}
	return position{}, false
}

// before returns the last grain in the index before another.
func (p *posting) before(grain uint32) (uint32, bool) {
	k, _ := p.cursor.Seek(indexPrefix(0, grain))
	if k == nil {
		k, _ = p.cursor.Last()
	} else {
		k, _ = p.cursor.Prev()
	}
	if len(k) < indexPrefixBytes {
		return 0, false
	}
	return binary.BigEndian.Uint32(k), true
}

// load reads the positions of a grain. It skips slots of chunks that are gone or damaged.
func (p *posting) load(grain uint32) {
	if p.loaded && p.grain == grain {
		return
	}
	p.loaded, p.grain, p.positions = true, grain, p.positions[:0]
	entries := 0
	for _, term := range p.terms {
		prefix := indexPrefix(term, grain)
		for k, v := p.cursor.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = p.cursor.Next() {
			entries++
			switch k := k[len(prefix):]; {
			case len(k) == 8:
				if c, ok := p.r.head(binary.BigEndian.Uint64(k)); ok {
					p.add(c, v)
				}
			case len(v) == len(position{}):
				p.positions = append(p.positions, position(v))
			}
		}
	}
	p.r.steps += len(p.terms) + entries
	if entries > 1 {
		slices.SortFunc(p.positions, position.compare)
	}
}

// add adds the positions of slots.
func (p *posting) add(c chunk, slots []byte) {
	for ; len(slots) >= 2; slots = slots[2:] {
		if slot := int(binary.BigEndian.Uint16(slots)); slot < c.traces {
			p.positions = append(p.positions, c.at(slot))
		}
	}
}

// maxSteps is the number of seeks and index entries that one search may take: some tenths of a second of work. It is
// exceeded only to make any progress.
const maxSteps = 100_000

// intersection yields the positions that are in all streams, leaping from one stream to the next.
type intersection struct {
	streams []stream
	steps   *int
	checked int      // steps at the last look at the context
	first   position // where the search begins
}

// next returns the highest position that is in all streams and not above at. If it runs out of steps or the context
// ends, it returns false and the position to continue from, which is before that of the first call.
func (x *intersection) next(ctx context.Context, at position) (found position, ok, done bool) {
	agreed := 0
	for i := 0; agreed < len(x.streams); i = (i + 1) % len(x.streams) {
		if *x.steps-x.checked >= 1024 {
			if x.checked = *x.steps; ctx.Err() != nil {
				return at, false, false
			}
		}
		*x.steps++
		p, ok := x.streams[i].seek(at)
		switch {
		case !ok:
			return at, false, true
		case *x.steps > maxSteps && p.compare(x.first) < 0:
			return p, false, false
		case p == at:
			agreed++
		default:
			at, agreed = p, 1
		}
	}
	return at, true, false
}
