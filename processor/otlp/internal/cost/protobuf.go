package cost

import (
	"math/bits"

	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// Traces returns the largest number of bytes that pdata takes for an ExportTraceServiceRequest in protobuf. The body must not
// be nested deeper than protobuf.TooDeep allows. At a malformed field Traces stops, as pdata does.
func Traces(body []byte) int64 {
	n, _ := traces.walk(body)
	return n
}

// Metrics does the same for an ExportMetricsServiceRequest.
func Metrics(body []byte) int64 {
	n, _ := metrics.walk(body)
	return n
}

// walk returns the cost of the fields of b, and whether it read b to the end.
func (m *message) walk(b []byte) (cost int64, ok bool) {
	var places [len(message{})]int64 // numbers of places in slices, by field
	cost, ok = m.fields(b, &places)
	for num, n := range places {
		if n > 0 {
			cost += m[num].place * room(n)
		}
	}
	return cost, ok
}

// fields returns the cost of the fields of b without their places in slices, which it counts.
func (m *message) fields(b []byte, places *[len(message{})]int64) (cost int64, ok bool) {
	for pos := 0; pos < len(b); {
		num, typ, next := protobuf.Tag(b, pos)
		if next < 0 {
			return cost, false
		}
		f, num := m.field(num)
		if typ != protobuf.TypeLen {
			if f != nil {
				cost += f.each
				places[num]++
			}
			if pos = protobuf.Skip(b, next, typ); pos < 0 {
				return cost, false
			}
			continue
		}
		start, end := protobuf.Length(b, next)
		if start < 0 {
			return cost, false
		}
		pos = end
		if f == nil {
			continue
		}
		content := b[start:end]
		cost += f.each
		switch {
		case f.packed:
			places[num] += numbersIn(f == &buckets[2], content)
		case f.copied:
			cost += copied(len(content))
			fallthrough
		default:
			places[num]++
		}
		if f.sub == &attribute {
			if n, plain := ofPlain(content); plain {
				cost += n
				continue
			}
		}
		if f.sub != nil {
			n, ok := f.sub.walk(content)
			if cost += n; !ok {
				return cost, false
			}
		}
	}
	return cost, true
}

// ofPlain is what walk returns for a KeyValue that has a key and a value of a plain kind, each shorter than 128 bytes, in either order:
// nearly all attributes are such.
func ofPlain(kv []byte) (cost int64, plain bool) {
	const keyTag, valueTag = 1<<3 | byte(protobuf.TypeLen), 2<<3 | byte(protobuf.TypeLen)
	if len(kv) < 4 || kv[1] >= 0x80 {
		return 0, false
	}
	second := 2 + int(kv[1])
	if second+2 > len(kv) || kv[second+1] >= 0x80 || second+2+int(kv[second+1]) != len(kv) {
		return 0, false
	}
	key, v := kv[2:second], kv[second+2:]
	switch {
	case kv[0] == keyTag && kv[second] == valueTag:
	case kv[0] == valueTag && kv[second] == keyTag:
		key, v = v, key
	default:
		return 0, false
	}
	cost = copied(len(key))
	if len(v) < 2 {
		return cost, len(v) == 0
	}
	switch v[0] {
	case 1<<3 | byte(protobuf.TypeLen), 7<<3 | byte(protobuf.TypeLen):
		return cost + value[v[0]>>3].each + copied(len(v)-2), 2+int(v[1]) == len(v) // and less than 128, as v is
	case 2<<3 | byte(protobuf.TypeVarint), 3<<3 | byte(protobuf.TypeVarint):
		return cost + value[v[0]>>3].each, len(v) == 2 && v[1] < 0x80 || len(v) == 3 && v[1] >= 0x80 && v[2] < 0x80
	case 4<<3 | byte(protobuf.TypeFixed64):
		return cost + value[4].each, len(v) == 9
	}
	return 0, false
}

// room returns the capacity of a slice that has grown to n elements, plus what it grew from, which is freed only
// afterwards: it grows to the next power of two, and from 256 on by a quarter.
func room(n int64) int64 {
	if n <= 256 {
		return int64(1) << bits.Len64(uint64(n-1))
	}
	return n*9/4 + 256
}

// field returns the cost of a field, nil for none, and the field's number in the message.
func (m *message) field(num int32) (*field, int32) {
	if num == deprecatedMembers && (m == &resourceSpans || m == &resourceMetrics) {
		num = 2
	}
	if int(num) >= len(m) {
		return nil, 0
	}
	return &m[num], num
}

// copied returns the size of a copy of n bytes.
func copied(n int) int64 {
	if n == 0 {
		return 0
	}
	return int64(n) + int64(n)/8 + 8
}

// numbersIn returns the number of values in a packed field.
func numbersIn(varints bool, b []byte) int64 {
	if !varints {
		return int64(len(b)) / 8
	}
	n := int64(0)
	for _, c := range b {
		if c < 0x80 {
			n++
		}
	}
	return n
}
