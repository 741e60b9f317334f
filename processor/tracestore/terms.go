package tracestore

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// A term is a property that traces are found by, as a hash. The index holds, under each term, the traces that have it by
// their starts. Two properties with one hash would mix their traces, which is less likely than a damaged disk.

func term(property byte, values ...string) uint64 {
	d := xxhash.New()
	_, _ = d.Write([]byte{property})
	for _, v := range values { // a hash takes all bytes; it has no errors
		_, _ = d.Write(binary.BigEndian.AppendUint32(nil, uint32(len(v))))
		_, _ = d.WriteString(v)
	}
	return d.Sum64()
}

func termAll() uint64                         { return term('*') }
func termService(name string) uint64          { return term('s', name) }
func termOperation(service, op string) uint64 { return term('o', service, op) }
func termError() uint64                       { return term('e') }
func termPolicy(name string) uint64           { return term('p', name) }
func termLink(to pcommon.TraceID) uint64      { return term('l', string(to[:])) }
func termDuration(magnitude int) uint64       { return term('d', string(rune(magnitude))) }
func magnitude(nanoseconds uint64) int        { return bits.Len64(nanoseconds) }
func magnitudes(shortest, longest uint64) (m []uint64) {
	for i := magnitude(shortest); i <= magnitude(longest); i++ {
		m = append(m, termDuration(i))
	}
	return m
}

// Most that a trace is indexed by; the operations and links beyond do not find it.
const (
	maxOperationTerms = 512
	maxLinkTerms      = 256
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

// distinctTerms sorts terms and leaves out repetitions.
func distinctTerms(terms []uint64) []uint64 {
	slices.Sort(terms)
	return slices.Compact(terms)
}
