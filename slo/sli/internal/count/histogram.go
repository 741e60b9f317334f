package count

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
	// All buckets of durations from 1 to 2⁶⁴ ns are between these, at any scale.
	minOffset, maxOffset = -30 << maxScale, 35 << maxScale
)

// Histogram is an exponential histogram of durations, base 2^(2^−scale), which gives up resolution when its buckets no
// longer suffice. Bucket i counts base^(Offset+i) < seconds ≤ base^(Offset+i+1). The zero value is empty.
//
// There are 64 powers of two between a nanosecond and the longest duration, so 160 buckets last at any scale down to 1:
// scales below that do not occur.
type Histogram struct {
	Buckets []uint64
	// Count is of all durations.
	Count uint64
	// sum is of duration · weight in nanoseconds, 128 bits.
	sumHigh, sumLow uint64
	Offset          int32
	// carry is the fraction of the weights not yet counted. A bucket holds whole numbers only.
	carry uint32
	// coarser is maxScale − scale: so the zero value is at maxScale.
	coarser int32

	// Zero counts durations of 0.
	Zero uint64
}

// weight is the sum of all weights.
func (h *Histogram) weight() Weight { return Weight{h.Count, h.carry} }

// add counts a duration in nanoseconds w times. The fraction of w waits for the next add, so that count is always the sum of the
// weights, rounded down.
func (h *Histogram) add(nanos uint64, w Weight) {
	carry, over := bits.Add32(h.carry, w.part, 0)
	h.carry = carry
	n := w.whole + uint64(over)
	h.Count += n
	h.addSum(bits.Mul64(nanos, n))
	if nanos == 0 {
		h.Zero += n
		return
	}
	index := finestIndex(float64(nanos)/1e9) >> h.coarser
	i := int(index - h.Offset)
	if uint(i) >= uint(len(h.Buckets)) {
		i = h.makeRoom(index)
	}
	h.Buckets[i] += n
}

func (h *Histogram) addSum(high, low uint64) {
	low, carry := bits.Add64(h.sumLow, low, 0)
	h.sumLow = low
	h.sumHigh += high + carry
}

// makeRoom widens the histogram so that it has a bucket for index, which is at the scale before the call, and returns
// the bucket's position.
func (h *Histogram) makeRoom(index int32) int {
	low, high := index, index
	if len(h.Buckets) > 0 {
		low = min(low, h.Offset)
		high = max(high, h.Offset+int32(len(h.Buckets))-1)
	}
	var by int32
	for high>>by-low>>by >= maxBuckets {
		by++
	}
	h.downscale(by)
	low, high, index = low>>by, high>>by, index>>by
	if len(h.Buckets) == 0 {
		h.Offset = low
	}
	if size := int(high - low + 1); size > len(h.Buckets) {
		old := len(h.Buckets)
		h.Buckets = slices.Grow(h.Buckets, min(max(size, old+bucketStep), maxBuckets)-old)[:size]
		clear(h.Buckets[old:])
		if shift := int(h.Offset - low); shift > 0 {
			copy(h.Buckets[shift:], h.Buckets[:old])
			clear(h.Buckets[:shift])
		}
		h.Offset = low
	}
	return int(index - h.Offset)
}

// downscale halves the resolution by times.
func (h *Histogram) downscale(by int32) {
	if by == 0 {
		return
	}
	h.coarser += by
	if len(h.Buckets) == 0 {
		return
	}
	offset := h.Offset >> by
	last := (h.Offset + int32(len(h.Buckets)) - 1) >> by
	for i, n := range h.Buckets {
		h.Buckets[i] = 0
		h.Buckets[(h.Offset+int32(i))>>by-offset] += n
	}
	h.Buckets = h.Buckets[:last-offset+1]
	h.Offset = offset
}

// Scale is the resolution: 2^scale buckets per power of two.
func (h *Histogram) Scale() int32 { return maxScale - h.coarser }

// Seconds is the sum of all durations.
func (h *Histogram) Seconds() float64 {
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

// recent are calls of weight one that are not in their series' histogram yet. They are in one line of the processor's cache,
// where a histogram takes up dozens: where there are many series, what waits for memory is moved there many at a time.
type recent struct {
	sum uint64 // nanoseconds
	// offset, coarser and room are the histogram's Offset, coarser and number of buckets.
	offset  int16
	coarser uint8
	room    uint8
	n       uint8
	bucket  [recentLength]uint8
}

const (
	recentLength = 51
	// maxRecent is the longest duration that recent takes: so many of them do not overflow.
	maxRecent = 1 << 57
)

func (r *recent) isFull() bool { return r.n == recentLength }

// add reports whether there was room for the duration, and a bucket.
func (r *recent) add(nanos uint64) bool {
	n := r.n
	if n >= recentLength || nanos-1 >= maxRecent {
		return false
	}
	i := finestIndex(float64(nanos)/1e9)>>r.coarser - int32(r.offset)
	if uint32(i) >= uint32(r.room) {
		return false
	}
	r.bucket[n] = uint8(i)
	r.sum += nanos
	r.n = n + 1
	return true
}

// settle counts in the histogram what is recent.
func (s *CallSeries) settle() {
	r, h := &s.recent, &s.duration
	if r.n == 0 {
		return
	}
	h.Count += uint64(r.n)
	h.addSum(0, r.sum)
	buckets := h.Buckets
	for _, i := range r.bucket[:r.n] {
		buckets[i]++
	}
	r.sum, r.n = 0, 0
}

// add counts a duration in nanoseconds w times, in the histogram, whose buckets may become others.
func (s *CallSeries) add(nanos uint64, w Weight) {
	s.settle()
	s.duration.add(nanos, w)
	s.fit()
}

// fit takes note of the buckets that the histogram has. Nothing is recent then.
func (s *CallSeries) fit() {
	h := &s.duration
	s.recent = recent{offset: int16(h.Offset), coarser: uint8(h.coarser), room: uint8(len(h.Buckets))}
}

// durations returns the histogram of all durations, for reading.
func (s *CallSeries) durations() *Histogram {
	s.settle()
	return &s.duration
}
