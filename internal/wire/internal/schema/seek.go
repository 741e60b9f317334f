package schema

import "github.com/slowburn/slowburn/internal/wire/protobuf"

// Seek returns the content's range of the next field num from pos on; end is 0 if there is none. It is for fields of
// submessages and bytes with numbers below 16, whose tags have one byte, in scanned messages: it skips other fields by
// their wire type alone, which is several times faster than reading them.
func (m *Message) Seek(b []byte, pos int, num int32) (start, end int) {
	want := byte(num)<<3 | byte(protobuf.TypeLen)
	for pos+1 < len(b) { // no field is shorter than two bytes
		tag, n := b[pos], int(b[pos+1])
		if tag < 0x80 && tag >= 1<<3 {
			switch protobuf.Type(tag & 7) {
			case protobuf.TypeLen:
				if n < 0x80 && n <= len(b)-pos-2 {
					if tag == want {
						return pos + 2, pos + 2 + n
					}
					pos += 2 + n
					continue
				}
			case protobuf.TypeFixed64:
				pos += 1 + 8
				continue
			case protobuf.TypeVarint:
				if n < 0x80 {
					pos += 2
					continue
				}
			case protobuf.TypeFixed32:
				pos += 1 + 4
				continue
			}
		}
		f, err := m.Next(b, pos)
		if err != nil {
			return 0, 0
		}
		if f.Num == num {
			return f.Start, f.End
		}
		pos = f.End
	}
	return 0, 0
}

// Last returns the content of the last field num from pos on, which is the one that counts.
func (m *Message) Last(b []byte, pos int, num int32) (content []byte, ok bool) {
	for start, end := m.Seek(b, pos, num); end != 0; start, end = m.Seek(b, end, num) {
		content, ok = b[start:end:end], true
	}
	return content, ok
}
