package tracefile

import (
	"bytes"
	"encoding/binary"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// position orders traces: by start time, then ID.
type position [8 + 16]byte

var newest = position(bytes.Repeat([]byte{0xff}, len(position{})))

func positionOf(start uint64, id pcommon.TraceID) (p position) {
	binary.BigEndian.PutUint64(p[:], start)
	copy(p[8:], id[:])
	return p
}

func (p position) start() uint64       { return binary.BigEndian.Uint64(p[:]) }
func (p position) id() pcommon.TraceID { return pcommon.TraceID(p[8:]) }

func (p position) compare(o position) int { return bytes.Compare(p[:], o[:]) }

// before returns the position just before p, false if p is the first.
func (p position) before() (position, bool) {
	for i := len(p) - 1; i >= 0; i-- {
		p[i]--
		if p[i] != 0xff {
			return p, true
		}
	}
	return p, false
}

// grainOf returns the interval, of 4.3 s, that a start lies in.
func grainOf(start uint64) uint32 { return uint32(start >> 32) }

// place is where a trace is stored: its chunk and slot. A trace that got late spans is also in the bucket of updates, under its
// place.
type place [8 + 2]byte

func placeOf(chunk uint64, slot int) (p place) {
	binary.BigEndian.PutUint64(p[:], chunk)
	binary.BigEndian.PutUint16(p[8:], uint16(slot))
	return p
}

func (p place) chunk() uint64 { return binary.BigEndian.Uint64(p[:]) }
func (p place) slot() int     { return int(binary.BigEndian.Uint16(p[8:])) }

func chunkKey(chunk uint64) []byte { return binary.BigEndian.AppendUint64(nil, chunk) }

// lastOf returns the last position of a grain.
func lastOf(grain uint32) position {
	last := newest
	binary.BigEndian.PutUint32(last[:], grain)
	return last
}

// indexPrefix is the prefix of the index keys of a term and grain. The grain comes first, so that the entries of a transaction,
// whose traces began at about the same time, share a few pages.
func indexPrefix(term uint64, grain uint32) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(make([]byte, 0, indexPrefixBytes+len(place{})), grain), term)
}

const indexPrefixBytes = 4 + 8

// slotsKey is the index key for the slots of a chunk that have a term.
func slotsKey(term uint64, grain uint32, chunk uint64) []byte {
	return binary.BigEndian.AppendUint64(indexPrefix(term, grain), chunk)
}

// updateKey is the index key of a trace that got late spans.
func updateKey(term uint64, grain uint32, p place) []byte {
	return append(indexPrefix(term, grain), p[:]...)
}
