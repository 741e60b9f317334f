package digest

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// A term is the hash of a property by which traces are found. The index lists under each term the traces that have it,
// by start. Two properties with one hash would mix their traces, which is less likely than a damaged disk.

// termOf is the hash of a property and its values.
func termOf(property byte, values ...string) uint64 {
	var room [256]byte
	text := append(room[:0], property)
	for _, v := range values {
		text = append(binary.BigEndian.AppendUint32(text, uint32(len(v))), v...)
	}
	return xxhash.Sum64(text)
}

// TermAll is the term of every trace.
func TermAll() uint64 { return termOf('*') }

// TermService is the term of the traces with a span of the service.
func TermService(name string) uint64 { return termOf('s', name) }

// TermOperation is the term of the traces with a span of that name in the service.
func TermOperation(service, name string) uint64 { return termOf('o', service, name) }

// TermError is the term of the traces with a span that failed.
func TermError() uint64 { return termOf('e') }

// TermPolicy is the term of the traces that the sampling policy kept.
func TermPolicy(name string) uint64 { return termOf('p', name) }

// TermLink is the term of the traces with a link to the trace.
func TermLink(to pcommon.TraceID) uint64 { return termOf('l', string(to[:])) }

// termDuration is the term of the traces whose duration has this magnitude.
func termDuration(magnitude int) uint64 { return termOf('d', string(rune(magnitude))) }

// magnitudeOf is the number of bits of a duration in nanoseconds.
func magnitudeOf(nanoseconds uint64) int { return bits.Len64(nanoseconds) }

// TermsOfDurations returns the terms of all traces whose duration lies between two bounds in nanoseconds, both
// included; other traces of about that duration have them too.
func TermsOfDurations(shortest, longest uint64) (terms []uint64) {
	for i := magnitudeOf(shortest); i <= magnitudeOf(longest); i++ {
		terms = append(terms, termDuration(i))
	}
	return terms
}

// Limits of what a trace is indexed by. Further operations and links do not find it.
const (
	maxOperationTerms = 512
	maxLinkTerms      = 256
)

// distinctTerms sorts terms and removes repetitions.
func distinctTerms(terms []uint64) []uint64 {
	slices.Sort(terms)
	return slices.Compact(terms)
}
