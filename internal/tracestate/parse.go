package tracestate

import (
	"encoding/binary"
	"math"
)

const (
	// MaxAdjustedCount is 2^56: the number of different randomness values, and one more than the highest threshold.
	MaxAdjustedCount uint64 = 1 << 56

	// None stands for a threshold or a randomness that is not there. It is higher than any that can be.
	None uint64 = math.MaxUint64

	digits = 14 // hex digits of 56 bits
)

// text is what a tracestate may be held in.
type text interface{ ~string | ~[]byte }

// Values are what the ot entry of a tracestate says about sampling, each None where it does not.
type Values struct {
	// Threshold is th: how many of 2^56 randomness values were rejected on the way here.
	Threshold uint64
	// Randomness is rv, the explicit randomness.
	Randomness uint64
	// tidy says that the entry is written as Update would write it, but for the order of its parts, and that there are no more
	// entries than there may be.
	tidy bool
}

// Parse reads a tracestate. It allocates nothing.
func Parse[T text](tracestate T) Values {
	v := Values{Threshold: None, Randomness: None, tidy: true}
	found, members := false, 0
	for rest := tracestate; len(rest) > 0; {
		var m T
		m, rest = cut(rest, ',')
		if m = trim(m); len(m) > 0 {
			members++
		}
		if v.tidy = v.tidy && members <= maxMembers; !isOT(m) {
			continue
		}
		if found {
			v.tidy = false
			break
		}
		found = true
		parseOT(&v, m[len("ot="):])
	}
	return v
}

// parseOT reads the value of an ot entry into v.
func parseOT[T text](v *Values, value T) {
	v.tidy = v.tidy && len(value) <= maxOT
	thresholds, randoms := 0, 0
	for rest, more := value, true; more; {
		var sub T
		more = index(rest, ';') >= 0
		sub, rest = cut(rest, ';')
		switch {
		case !wellFormed(sub):
			v.tidy = false
		case hasKey(sub, "th:"):
			v.Threshold = hex(sub[3:])
			v.tidy = v.tidy && v.Threshold != None
			thresholds++
		case hasKey(sub, "rv:"):
			v.Randomness = None
			if len(sub) == 3+digits {
				v.Randomness = hex(sub[3:])
			}
			v.tidy = v.tidy && v.Randomness != None
			randoms++
		}
	}
	v.tidy = v.tidy && thresholds <= 1 && randoms <= 1
}

// hex reads 1 to 14 hex digits as the first of 14, or returns None.
func hex[T text](s T) uint64 {
	if len(s) == 0 || len(s) > digits {
		return None
	}
	var n uint64
	for i := range len(s) {
		var d byte
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			d = c - '0'
		case c >= 'a' && c <= 'f':
			d = c - 'a' + 10
		case c >= 'A' && c <= 'F':
			d = c - 'A' + 10
		default:
			return None
		}
		n = n<<4 | uint64(d)
	}
	return n << (4 * (digits - len(s)))
}

// Resolve returns the randomness of a trace or span: the explicit rv, or the low 56 bits of the trace ID where rv is
// None.
func Resolve(id [16]byte, rv uint64) uint64 {
	if rv != None {
		return rv
	}
	return binary.BigEndian.Uint64(id[8:]) & (MaxAdjustedCount - 1)
}

// AdjustedCountOf returns how many spans a span of the trace with this ID and tracestate stands for: 1/probability by its th, 1
// where it has none or one that its randomness does not pass, which is the ID's where it has no rv.
func AdjustedCountOf[T text](id [16]byte, tracestate T) float64 {
	if len(tracestate) == 0 {
		return 1
	}
	v := Parse(tracestate)
	return v.count(Resolve(id, v.Randomness))
}

// count is the adjusted count at a randomness; None passes every threshold.
func (v Values) count(randomness uint64) float64 {
	if v.Threshold == None || v.Threshold > randomness {
		return 1
	}
	return Count(v.Threshold)
}

// Count returns the adjusted count of what passed the threshold, which must be less than MaxAdjustedCount.
func Count(threshold uint64) float64 {
	return float64(MaxAdjustedCount) / float64(MaxAdjustedCount-threshold)
}
