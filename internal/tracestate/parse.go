package tracestate

import (
	"encoding/binary"
	"math"
)

const (
	// MaxAdjustedCount is 2^56: the number of different randomness values, and one more than the highest threshold.
	MaxAdjustedCount uint64 = 1 << 56

	// None stands for a missing threshold or randomness. It is higher than all others.
	None uint64 = math.MaxUint64

	digits = 14 // hex digits of 56 bits
)

// text is a type that can hold a tracestate.
type text interface{ ~string | ~[]byte }

// Values are the sampling values in the ot entry of a tracestate, each None if it is missing.
type Values struct {
	// Threshold is th: how many of the 2^56 randomness values earlier samplers rejected.
	Threshold uint64
	// Randomness is rv, the explicit randomness.
	Randomness uint64
	// tidy reports whether the entry has the form that Update would write, apart from the order of its parts, and whether the
	// number of entries is within its limit.
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

// parseOT parses the value of an ot entry into v.
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

// hex parses 1 to 14 hex digits as the first of 14, or returns None.
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

// Resolve returns the randomness of a trace or span: the explicit rv, or the low 56 bits of the trace ID if rv is
// None.
func Resolve(id [16]byte, rv uint64) uint64 {
	if rv != None {
		return rv
	}
	return binary.BigEndian.Uint64(id[8:]) & (MaxAdjustedCount - 1)
}

// AdjustedCountOf returns the number of spans that a span of the trace with this ID and tracestate stands for: 1/probability by
// its th. It is 1 without a th, or with one that the span's randomness (the ID's without an rv) does not pass.
func AdjustedCountOf[T text](id [16]byte, tracestate T) float64 {
	if len(tracestate) == 0 {
		return 1
	}
	v := Parse(tracestate)
	return v.count(Resolve(id, v.Randomness))
}

// count returns the adjusted count at a randomness; None passes every threshold.
func (v Values) count(randomness uint64) float64 {
	if v.Threshold == None || v.Threshold > randomness {
		return 1
	}
	return Count(v.Threshold)
}

// Count returns the adjusted count for a threshold, which must be less than MaxAdjustedCount.
func Count(threshold uint64) float64 {
	return float64(MaxAdjustedCount) / float64(MaxAdjustedCount-threshold)
}
