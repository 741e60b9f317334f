package format

import "encoding/binary"

// A segment's facts are in slots of FactSize bytes, which are filled from the end of its memory downwards and numbered from 1 on.
// docs/spanlog-format.md draws them. They are for the process that wrote them: nothing reads them after a restart.
const (
	// FactSize is the size of a slot in bytes: a fact, the slot of its origin, and that of the trace's fact before it.
	FactSize = FactContent + 4
	// FactContent is the size of a fact in bytes.
	FactContent = 44
	// IdentitySize is the size of an origin's identity in bytes, at the beginning of its slot; the offset of its scope follows.
	IdentitySize = 24

	factOriginAt = FactContent
	factPrevAt   = FactContent + 2
)

// Fact is a slot.
type Fact []byte

// FactAt returns the nth slot of a segment's memory.
func FactAt(b []byte, n uint16) Fact {
	end := len(b) - (int(n)-1)*FactSize
	return b[end-FactSize : end : end]
}

// FactsOf returns the first n slots of a segment's memory, which are its last bytes.
func FactsOf(b []byte, n uint16) []byte { return b[len(b)-int(n)*FactSize:] }

// Put writes a span's fact. origin is the slot of its origin, prev that of the fact before it of the same trace, 0 in the first.
func (f Fact) Put(content *[FactContent]byte, origin, prev uint16) {
	copy(f, content[:])
	binary.LittleEndian.PutUint16(f[factOriginAt:], origin)
	binary.LittleEndian.PutUint16(f[factPrevAt:], prev)
}

// PutOrigin writes an origin: the identity of its resource, and the offset of its scope.
func (f Fact) PutOrigin(identity [IdentitySize]byte, scope uint32) {
	clear(f[copy(f, identity[:]):])
	binary.LittleEndian.PutUint32(f[IdentitySize:], scope)
}

// Origin returns the slot of a fact's origin.
func (f Fact) Origin() uint16 { return binary.LittleEndian.Uint16(f[factOriginAt:]) }

// Prev returns the slot of the fact before it of the same trace, 0 in the first.
func (f Fact) Prev() uint16 { return binary.LittleEndian.Uint16(f[factPrevAt:]) }

// Scope returns the offset of an origin's scope.
func (f Fact) Scope() uint32 { return binary.LittleEndian.Uint32(f[IdentitySize:]) }
