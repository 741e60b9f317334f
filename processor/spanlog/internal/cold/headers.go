package cold

import "github.com/slowburn/slowburn/processor/spanlog/internal/format"

// headers is a cache of the resources and scopes that were read last, by position, in two generations. A header that get or put
// returned is valid until the next call of age or trim.
type headers struct {
	limit      int // bytes at which age makes the young generation the old one
	young, old generation
}

// generation holds headers in one buffer.
type generation struct {
	places map[format.Position]header
	bytes  []byte
}

// header is the place of a resource or scope in the bytes of its generation.
type header struct {
	from, to uint32
	ref      uint32 // of a scope: the offset of its resource
}

// headerSize is about how many bytes a header takes in the map.
const headerSize = 40

func newHeaders(limit int) headers { return headers{limit: limit} }

// get returns a header of the young generation, after copying it there if only the old one has it.
func (h *headers) get(at format.Position) (header, bool) {
	if found, ok := h.young.places[at]; ok {
		return found, true
	}
	found, ok := h.old.places[at]
	if ok {
		found = h.put(at, found.ref, h.old.bytes[found.from:found.to])
	}
	return found, ok
}

func (h *headers) put(at format.Position, ref uint32, payload []byte) header {
	if h.young.places == nil {
		h.young.places = map[format.Position]header{}
	}
	from := uint32(len(h.young.bytes))
	h.young.bytes = append(h.young.bytes, payload...)
	added := header{from, uint32(len(h.young.bytes)), ref}
	h.young.places[at] = added
	return added
}

// of returns the bytes of a header that get or put returned.
func (h *headers) of(found header) []byte { return h.young.bytes[found.from:found.to:found.to] }

// age makes the young generation the old one if it is full.
func (h *headers) age() {
	if h.young.size() < h.limit {
		return
	}
	h.young, h.old = h.old, h.young
	h.young.clear(2 * h.limit)
	h.trim()
}

// trim frees generations that a giant trace grew.
func (h *headers) trim() {
	for _, g := range []*generation{&h.young, &h.old} {
		if cap(g.bytes)+headerSize*len(g.places) > 4*h.limit {
			*g = generation{}
		}
	}
}

// clear empties a generation, and frees its bytes if there is room for more than limit.
func (g *generation) clear(limit int) {
	clear(g.places)
	if g.bytes = g.bytes[:0]; cap(g.bytes) > limit {
		g.bytes = nil
	}
}

func (g *generation) size() int { return len(g.bytes) + headerSize*len(g.places) }

func (h *headers) bytes() int {
	return cap(h.young.bytes) + cap(h.old.bytes) + headerSize*(len(h.young.places)+len(h.old.places))
}
