package count

import (
	"math"
	"math/bits"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
)

// Weight is how many spans one span stands for, and also the sum of such: a fixed point number in units of 2⁻³².
// Unlike a sum of floats, a sum of weights is the same in any order, and exact where all of them are whole.
type Weight struct {
	whole uint64
	part  uint32
}

var weightOne = Weight{whole: 1}

// adjustedCount is 1/p for the rejection threshold of a sampler, in 1/2⁵⁶: 2⁵⁶ / (2⁵⁶ − threshold), to the nearest 2⁻³².
func adjustedCount(threshold uint64) Weight {
	const all = tracestate.MaxAdjustedCount
	if threshold == 0 || threshold >= all {
		return weightOne
	}
	kept := all - threshold
	w := Weight{whole: all / kept}
	hi, lo := bits.Mul64(all%kept, 1<<32)
	part, rest := bits.Div64(hi, lo, kept)
	if rest >= kept-rest {
		part++
	}
	w.whole += part >> 32
	w.part = uint32(part)
	return w
}

func (w *Weight) add(o Weight) {
	part, carry := bits.Add32(w.part, o.part, 0)
	w.part = part
	w.whole += o.whole + uint64(carry)
}

// sub subtracts o. A difference below zero wraps around, so that sums do not depend on the order of their parts.
func (w *Weight) sub(o Weight) {
	part, borrow := bits.Sub32(w.part, o.part, 0)
	w.part = part
	w.whole -= o.whole + uint64(borrow)
}

func (w Weight) isZero() bool { return w == Weight{} }

func (w Weight) isNegative() bool { return w.whole>>63 == 1 }

func (w Weight) less(o Weight) bool {
	return w.whole < o.whole || w.whole == o.whole && w.part < o.part
}

// Integer returns the weight as an integer, and whether it is one.
func (w Weight) Integer() (int64, bool) {
	return int64(w.whole), w.part == 0 && w.whole <= math.MaxInt64
}

// Float returns the weight, rounded.
func (w Weight) Float() float64 { return float64(w.whole) + float64(w.part)/(1<<32) }

// weightOf is how many spans a span stands for that carries this tracestate. A threshold that its randomness does not
// pass cannot be true, and counts as none.
func weightOf(id wire.TraceID, state []byte) Weight {
	if len(state) == 0 {
		return weightOne
	}
	v := tracestate.Parse(state)
	if v.Threshold == tracestate.None || tracestate.Resolve(id, v.Randomness) < v.Threshold {
		return weightOne
	}
	return adjustedCount(v.Threshold)
}
