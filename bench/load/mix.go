package load

import "encoding/binary"

// Flavour is the kind of a trace, by which a tail sampler should decide.
type Flavour int

// Flavours.
const (
	Boring Flavour = iota
	Failing
	Slow
)

const (
	slowMs      = 2500 // a slow trace's root
	failingSpan = 8    // the span with the error: not the root, and not in the first service
)

// Mix sets the traces with an error and the slow ones: each value N makes one in N of them, 0 makes none.
type Mix struct{ FailingOneIn, SlowOneIn uint64 }

// Flavour returns the flavour of a trace by its number.
func (m Mix) Flavour(seq uint64) Flavour {
	switch {
	case m.FailingOneIn > 0 && seq%m.FailingOneIn == 0:
		return Failing
	case m.SlowOneIn > 0 && seq%m.SlowOneIn == 1:
		return Slow
	default:
		return Boring
	}
}

// TraceID returns an ID with the trace's number in its first half, and random bits in the half that samplers read.
func TraceID(seq uint64) (id [16]byte) {
	binary.BigEndian.PutUint64(id[:], seq+1)
	binary.BigEndian.PutUint64(id[8:], mix64(seq))
	return id
}

// Sequence returns the number of a trace by its ID, and whether TraceID made the ID.
func Sequence(id []byte) (uint64, bool) {
	if len(id) != 16 {
		return 0, false
	}
	seq := binary.BigEndian.Uint64(id) - 1
	return seq, mix64(seq) == binary.BigEndian.Uint64(id[8:])
}

func spanID(seq uint64, span int) uint64 { return mix64(seq*SpansPerTrace+uint64(span)) | 1 }

// mix64 is the finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
