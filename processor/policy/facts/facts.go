// Package facts is what a decision reads of a span in place of the span: a Record of fixed size, which the span log stores as the span is
// appended, and an Identity per resource. Together they are a skeleton.Span, equal to the one that is made of the span itself.
//
// Both hold hashes that are valid within the process, so that nothing may read them after a restart. There are no locks and no state.
package facts

import (
	"encoding/binary"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
)

// Sizes in bytes.
const (
	RecordSize   = 44
	IdentitySize = 24
)

// Record is the facts of a span. Numbers are little-endian.
//
//	offset size
//	0      8    span ID, as a skeleton.Span has it
//	8      8    parent's ID
//	16     8    start, Unix nanoseconds
//	24     8    end
//	32     8    hash of the name
//	40     4    bits, the lowest first: 3 kind, 2 status, 10 received HTTP status code, 10 resends, 2 reason of the error, 1 peer's address known
type Record = [RecordSize]byte

// Identity is the hashes of a resource's service, of the resource, and of its clock, 8 bytes each.
type Identity = [IdentitySize]byte

// Widths of the fields in a Record's bits.
const (
	kindBits, statusBits, codeBits, resendsBits, reasonBits = 3, 2, 10, 10, 2

	statusAt  = kindBits
	codeAt    = statusAt + statusBits
	resendsAt = codeAt + codeBits
	reasonAt  = resendsAt + resendsBits
	peerAt    = reasonAt + reasonBits
)

// Put writes the facts of a span, and reports whether they fit into a Record: not if its kind or status is none of OTLP's.
func Put(r *Record, v *policy.SpanView) bool {
	s := rule.SkeletonSpan(v)
	return encode(r, &s)
}

// encode is Put for a span of a skeleton, without the fields of its resource, and reports whether it fits.
func encode(r *Record, s *skeleton.Span) bool {
	f := &s.Failure
	if outside(s.Kind, kindBits) || outside(s.Status, statusBits) || outside(f.Code, codeBits) || outside(f.Resends, resendsBits) ||
		outside(int32(f.Reason), reasonBits) {
		return false
	}
	binary.LittleEndian.PutUint64(r[0:], s.ID)
	binary.LittleEndian.PutUint64(r[8:], s.Parent)
	binary.LittleEndian.PutUint64(r[16:], s.Start)
	binary.LittleEndian.PutUint64(r[24:], s.End)
	binary.LittleEndian.PutUint64(r[32:], s.Name)
	bits := uint32(s.Kind) | uint32(s.Status)<<statusAt | uint32(f.Code)<<codeAt | uint32(f.Resends)<<resendsAt | uint32(f.Reason)<<reasonAt
	if f.Peer {
		bits |= 1 << peerAt
	}
	binary.LittleEndian.PutUint32(r[40:], bits)
	return true
}

// outside reports whether a number has more than so many bits.
func outside(n int32, bits int) bool { return uint32(n)>>bits != 0 }

// Identify returns the identity of a resource, given the body of its ResourceSpans or its header.
func Identify(resource []byte) (id Identity) {
	from := rule.Identify(resource)
	binary.LittleEndian.PutUint64(id[0:], from.Service)
	binary.LittleEndian.PutUint64(id[8:], from.Resource)
	binary.LittleEndian.PutUint64(id[16:], from.Clock)
	return id
}

// Span returns the span of a Record and of its resource's Identity.
func Span(r *Record, id *Identity) skeleton.Span {
	bits := binary.LittleEndian.Uint32(r[40:])
	field := func(at, width int) int32 { return int32(bits >> at & (1<<width - 1)) }
	return skeleton.Span{
		ID: binary.LittleEndian.Uint64(r[0:]), Parent: binary.LittleEndian.Uint64(r[8:]),
		Start: binary.LittleEndian.Uint64(r[16:]), End: binary.LittleEndian.Uint64(r[24:]), Name: binary.LittleEndian.Uint64(r[32:]),
		Service: binary.LittleEndian.Uint64(id[0:]), Resource: binary.LittleEndian.Uint64(id[8:]), Clock: binary.LittleEndian.Uint64(id[16:]),
		Kind: field(0, kindBits), Status: field(statusAt, statusBits),
		Failure: skeleton.Evidence{
			Code: field(codeAt, codeBits), Resends: field(resendsAt, resendsBits), Reason: skeleton.Reason(field(reasonAt, reasonBits)),
			Peer: field(peerAt, 1) != 0,
		},
	}
}
