package tracefile

import (
	"bytes"
	"context"
	"encoding/binary"

	"go.etcd.io/bbolt"
)

// A stream is a set of positions in descending order.
type stream interface {
	// seek returns the highest position that is not above at, and false where there is none.
	seek(at position) (position, bool)
}

// posting is the stream of the traces that have a term.
type posting struct {
	cursor *bbolt.Cursor
	term   uint64
}

func (p posting) seek(at position) (position, bool) {
	want := indexKey(p.term, at)
	k, _ := p.cursor.Seek(want)
	switch {
	case k == nil:
		k, _ = p.cursor.Last()
	case !bytes.Equal(k, want):
		k, _ = p.cursor.Prev()
	}
	if len(k) != len(want) || binary.BigEndian.Uint64(k) != p.term {
		return position{}, false
	}
	return position(k[8:]), true
}

// union is the stream of what is in any of several.
type union []stream

func (u union) seek(at position) (position, bool) {
	var best position
	found := false
	for _, s := range u {
		if p, ok := s.seek(at); ok && (!found || p.compare(best) > 0) {
			best, found = p, true
		}
	}
	return best, found
}

// maxSteps is how many times one search seeks: some tenths of a second's work.
const maxSteps = 100_000

// intersection walks what is in all of several streams, by leaping from one to the next.
type intersection struct {
	streams []stream
	steps   int
}

// next returns the highest position that is in all streams and not above at. Where it is not done but out of steps, or
// the context is, it returns false and the position to go on from.
func (x *intersection) next(ctx context.Context, at position) (found position, ok, done bool) {
	agreed := 0
	for i := 0; agreed < len(x.streams); i = (i + 1) % len(x.streams) {
		if x.steps++; x.steps > maxSteps || x.steps%1024 == 0 && ctx.Err() != nil {
			return at, false, false
		}
		p, ok := x.streams[i].seek(at)
		if !ok {
			return at, false, true
		}
		if p == at {
			agreed++
		} else {
			at, agreed = p, 1
		}
	}
	return at, true, false
}
