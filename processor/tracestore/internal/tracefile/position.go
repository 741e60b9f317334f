package tracefile

import (
	"bytes"
	"encoding/binary"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// position is a place in the order of traces: start time and ID.
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

// before is the position just before p, and false where p is the first.
func (p position) before() (position, bool) {
	for i := len(p) - 1; i >= 0; i-- {
		p[i]--
		if p[i] != 0xff {
			return p, true
		}
	}
	return p, false
}

// indexKey is the key of a trace under a term.
func indexKey(term uint64, p position) []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(p)), term), p[:]...)
}
