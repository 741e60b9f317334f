package rest

import (
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// exactInteger is the largest integer that JSON readers with doubles, such as browsers, still tell from its neighbours.
const exactInteger = 1 << 53

// Attributes turns attributes into what encodes as JSON and means the same to a browser: a number that JSON cannot
// hold (NaN, the infinities, an integer beyond 2^53) becomes its text. Of a key that is there twice the first counts.
func Attributes(m pcommon.Map) map[string]any {
	out := make(map[string]any, m.Len())
	for key, value := range m.All() {
		if _, twice := out[key]; !twice {
			out[key] = Value(value)
		}
	}
	return out
}

// Value is an attribute's value as Attributes has it.
func Value(v pcommon.Value) any {
	switch v.Type() {
	case pcommon.ValueTypeInt:
		if n := v.Int(); n < -exactInteger || n > exactInteger {
			return strconv.FormatInt(n, 10)
		}
		return v.Int()
	case pcommon.ValueTypeDouble:
		if f := v.Double(); math.IsNaN(f) || math.IsInf(f, 0) {
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
		return v.Double()
	case pcommon.ValueTypeMap:
		return Attributes(v.Map())
	case pcommon.ValueTypeSlice:
		list := make([]any, 0, v.Slice().Len())
		for _, item := range v.Slice().All() {
			list = append(list, Value(item))
		}
		return list
	default:
		return v.AsRaw()
	}
}
