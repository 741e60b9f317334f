package spanlog

import (
	"github.com/cespare/xxhash/v2"

	"github.com/slowburn/slowburn/internal/slab"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Origin is a resource and a scope within it, as records of a log refer to them. It remembers where it was last stored, so
// that a request's spans of one origin take one look-up. One Origin may be used with several logs.
type Origin struct {
	// Resource and Scope are headers: the bodies of ResourceSpans and ScopeSpans without the nested ScopeSpans and spans.
	Resource, Scope []byte

	resourceHash, scopeHash uint32
	sequence                uint64 // the segment in which it was last stored
	at                      uint32 // the offset of its scope there
	slot                    uint16 // the slot of its identity there, 0 if it is not known
}

// Set sets the resource and scope. Do not change the slices until the last Append with o.
func (o *Origin) Set(resource, scope []byte) {
	*o = Origin{
		Resource: resource, Scope: scope,
		resourceHash: hashOf(resource), scopeHash: hashOf(scope),
	}
}

// size returns how many bytes storing it takes at most.
func (o *Origin) size() int { return 2*format.RecordHeaderSize + len(o.Resource) + len(o.Scope) }

func hashOf(b []byte) uint32 {
	h := xxhash.Sum64(b)
	return uint32(h ^ h>>32)
}

// dictionary finds the resources and scopes that a segment being filled already has, and their identities. Its table holds offsets
// plus one, because 0 is no entry; origins holds slots by the hash of the scope's offset.
type dictionary struct{ table, origins slab.Table }

func (d *dictionary) clear() {
	d.table.Clear()
	d.origins.Clear()
}

func (d *dictionary) bytes() int { return d.table.Bytes() + d.origins.Bytes() }

// place stores the origin in s, the segment being filled, unless it is there. There must be room.
func (d *dictionary) place(s *segment, o *Origin) {
	if o.sequence != s.sequence {
		o.at, o.sequence, o.slot = d.store(s, o), s.sequence, 0
	}
}

// identity returns the slot of the identity of an origin that was placed in s, and stores what identify returns for its resource if it is
// missing. There must be room.
func (d *dictionary) identity(s *segment, o *Origin, identify Identify) uint16 {
	if o.slot != 0 {
		return o.slot
	}
	hash := spread(o.at)
	for n, i := d.origins.First(hash); n != 0; n, i = d.origins.Next(hash, i) {
		if o.slot = uint16(n); format.FactAt(s.mem.Buf, o.slot).Scope() == o.at {
			return o.slot
		}
	}
	slot := s.slot()
	format.FactAt(s.mem.Buf, slot).PutOrigin(identify(o.Resource), o.at)
	d.origins.Insert(hash, uint32(slot))
	o.slot = slot
	return slot
}

func spread(offset uint32) uint32 { return offset * 0x9e3779b1 }

// store returns the offset of the origin's scope in s, and stores resource and scope if they are missing. There must be
// room.
func (d *dictionary) store(s *segment, o *Origin) uint32 {
	resource := d.put(s, format.KindResource, 0, o.resourceHash, o.Resource)
	return d.put(s, format.KindScope, resource, o.hashIn(resource), o.Scope)
}

// missing returns how many bytes store would put into s.
func (d *dictionary) missing(s *segment, o *Origin) int {
	if o.sequence == s.sequence {
		return 0
	}
	resource, known := d.find(s, format.KindResource, 0, o.resourceHash, o.Resource)
	if !known {
		return o.size()
	}
	if _, known = d.find(s, format.KindScope, resource, o.hashIn(resource), o.Scope); known {
		return 0
	}
	return format.RecordHeaderSize + len(o.Scope)
}

// hashIn returns the hash of the scope within the resource at an offset: a segment stores equal scopes of different
// resources separately.
func (o *Origin) hashIn(resource uint32) uint32 { return o.scopeHash ^ spread(resource) }

// put returns the offset of a header in s, and stores it if it is missing.
func (d *dictionary) put(s *segment, k format.Kind, ref, hash uint32, header []byte) uint32 {
	if at, known := d.find(s, k, ref, hash, header); known {
		return at
	}
	at := s.put(k, ref, 0, 0, nil, header)
	d.table.Insert(hash, at+1)
	return at
}

func (d *dictionary) find(s *segment, k format.Kind, ref, hash uint32, header []byte) (at uint32, known bool) {
	r := format.Records(s.mem.Buf)
	for n, i := d.table.First(hash); n != 0; n, i = d.table.Next(hash, i) {
		at := n - 1
		if r.Kind(at) == k && r.Ref(at) == ref && r.Holds(at, header) {
			return at, true
		}
	}
	return 0, false
}
