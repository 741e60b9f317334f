package sli

import (
	"math"
	"math/bits"
	"slices"
)

const (
	// maxScale is the finest resolution kept: 256 buckets per power of two. It is the finest that a Prometheus native
	// histogram has.
	maxScale = 8
	// maxBuckets is the most buckets of a histogram, as the OpenTelemetry SDKs have it: an error of at most 2.2 % where
	// durations spread over a factor of 1000, and of 4.4 % over a factor of 1,000,000.
	maxBuckets = 160
	// bucketStep is how many buckets the slice of them grows by at least.
	bucketStep = 16
)

// histogram is an exponential histogram of durations, base 2^(2^−scale), which gives up resolution when its buckets no
// longer suffice. Bucket i counts base^(offset+i) < seconds ≤ base^(offset+i+1). The zero value is empty.
//
// There are 64 powers of two between a nanosecond and the longest duration, so 160 buckets last at any scale down to 1:
// scales below that do not occur.
type histogram struct {
	// coarser is maxScale − scale: so the zero value is at maxScale.
	coarser int32
	offset  int32
	buckets []uint64
	zero    uint64
	count   uint64
	// sum is of duration · weight in nanoseconds, 128 bits.
	sumHigh, sumLow uint64
	// carry is the fraction of the weights not yet counted. A bucket holds whole numbers only.
	carry uint32
}

// add counts a duration in nanoseconds w times. What w has beyond a whole number waits for the next add, so that count is
// at any time the sum of the weights, rounded down.
func (h *histogram) add(nanos uint64, w weight) {
	carry, over := bits.Add32(h.carry, w.part, 0)
	h.carry = carry
	n := w.whole + uint64(over)
	h.count += n
	high, low := bits.Mul64(nanos, n)
	low, c := bits.Add64(h.sumLow, low, 0)
	h.sumLow = low
	h.sumHigh, _ = bits.Add64(h.sumHigh, high, c)
	if nanos == 0 {
		h.zero += n
		return
	}
	index := finestIndex(float64(nanos)/1e9) >> h.coarser
	i := int(index - h.offset)
	if uint(i) >= uint(len(h.buckets)) {
		i = h.makeRoom(index)
	}
	h.buckets[i] += n
}

// makeRoom widens the histogram so that it has a bucket for index, which is at the scale before the call, and returns
// the bucket's position.
func (h *histogram) makeRoom(index int32) int {
	low, high := index, index
	if len(h.buckets) > 0 {
		low = min(low, h.offset)
		high = max(high, h.offset+int32(len(h.buckets))-1)
	}
	var by int32
	for high>>by-low>>by >= maxBuckets {
		by++
	}
	h.downscale(by)
	low, high, index = low>>by, high>>by, index>>by
	if len(h.buckets) == 0 {
		h.offset = low
	}
	if size := int(high - low + 1); size > len(h.buckets) {
		old := len(h.buckets)
		h.buckets = slices.Grow(h.buckets, min(max(size, old+bucketStep), maxBuckets)-old)[:size]
		clear(h.buckets[old:])
		if shift := int(h.offset - low); shift > 0 {
			copy(h.buckets[shift:], h.buckets[:old])
			clear(h.buckets[:shift])
		}
		h.offset = low
	}
	return int(index - h.offset)
}

// downscale halves the resolution by times.
func (h *histogram) downscale(by int32) {
	if by == 0 {
		return
	}
	h.coarser += by
	if len(h.buckets) == 0 {
		return
	}
	offset := h.offset >> by
	last := (h.offset + int32(len(h.buckets)) - 1) >> by
	for i, n := range h.buckets {
		h.buckets[i] = 0
		h.buckets[(h.offset+int32(i))>>by-offset] += n
	}
	h.buckets = h.buckets[:last-offset+1]
	h.offset = offset
}

// scale is the resolution: 2^scale buckets per power of two.
func (h *histogram) scale() int32 { return maxScale - h.coarser }

// seconds is the sum of all durations.
func (h *histogram) seconds() float64 {
	return (float64(h.sumHigh)*(1<<64) + float64(h.sumLow)) / 1e9
}

const (
	mantissaBits = 52
	mantissaMask = 1<<mantissaBits - 1
	slotBits     = maxScale + 1
)

// boundaries are the mantissas of 2^(i/256), the lower bounds of the buckets between two powers of two.
// firstBoundary says, for the upper bits of a mantissa, how many boundaries lie below all mantissas that begin so.
var boundaries, firstBoundary = tabulate()

func tabulate() (b [1 << maxScale]uint64, first [1 << slotBits]uint16) {
	for i := range b {
		b[i] = math.Float64bits(math.Exp2(float64(i)/(1<<maxScale))) & mantissaMask
	}
	for slot := range first {
		least := uint64(slot) << (mantissaBits - slotBits)
		for first[slot] < uint16(len(b)) && b[first[slot]] < least {
			first[slot]++
		}
	}
	return b, first
}

// finestIndex is the index of v's bucket at maxScale. A table of the boundaries is exact where a logarithm is not, and
// takes a quarter of its time. v must be a normal number above 0.
func finestIndex(v float64) int32 {
	b := math.Float64bits(v)
	mantissa := b & mantissaMask
	i := int32(firstBoundary[mantissa>>(mantissaBits-slotBits)])
	for i < int32(len(boundaries)) && boundaries[i] < mantissa {
		i++
	}
	exponent := int32(b>>mantissaBits) - 1023
	return exponent<<maxScale + i - 1
}
