package text

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

func appendValid(dst []byte, m *schema.Message, b []byte) []byte {
	var r repair
	if _, changes := r.measure(m, b, 0); !changes {
		return append(dst, b...)
	}
	return r.append(dst, m, b, 0)
}

// repair holds the sizes of the messages that are being made valid, because a length is written before its content.
// Nested messages are measured once and written once, however deep they are.
type repair struct {
	sizes []int // of messages in the order in which they begin, without those inside an unchanged one; see unchanged
}

// unchanged stands for the size of a message that does not change.
const unchanged = -1

// measure returns the new size of the message that starts at pos and ends with b, and whether anything in it changes.
func (r *repair) measure(m *schema.Message, b []byte, pos int) (size int, changes bool) {
	for from := pos; from < len(b); from = pos {
		f, err := m.Next(b, from)
		if err != nil {
			return size + len(b) - from, changes // cannot happen after a scan
		}
		pos = f.End
		inner, changed := f.End-f.Start, false
		switch t := m.Field(f.Num); {
		case t.Message != nil:
			n := len(r.sizes)
			r.sizes = append(r.sizes, unchanged)
			if inner, changed = r.measure(t.Message, b[:f.End], f.Start); changed {
				r.sizes[n] = inner
			} else {
				r.sizes = r.sizes[:n+1]
			}
		case m.IsText(t) && !utf8.Valid(b[f.Start:f.End]):
			inner, changed = len(bytes.ToValidUTF8(b[f.Start:f.End], replacement)), true
		}
		if !changed {
			size += f.End - from
			continue
		}
		changes = true
		size += protobuf.LenSize(inner) - 1 + len(protobuf.AppendTag(nil, f.Num))
	}
	return size, changes
}

// append appends the valid form of the message that starts at pos and ends with b.
func (r *repair) append(dst []byte, m *schema.Message, b []byte, pos int) []byte {
	for from := pos; from < len(b); from = pos {
		f, err := m.Next(b, from)
		if err != nil {
			return append(dst, b[from:]...) // cannot happen after a scan
		}
		pos = f.End
		t := m.Field(f.Num)
		if t.Message != nil {
			size := r.sizes[0]
			r.sizes = r.sizes[1:]
			if size != unchanged {
				dst = binary.AppendUvarint(protobuf.AppendTag(dst, f.Num), uint64(size))
				dst = r.append(dst, t.Message, b[:f.End], f.Start)
				continue
			}
		} else if m.IsText(t) && !utf8.Valid(b[f.Start:f.End]) {
			valid := bytes.ToValidUTF8(b[f.Start:f.End], replacement)
			dst = binary.AppendUvarint(protobuf.AppendTag(dst, f.Num), uint64(len(valid)))
			dst = append(dst, valid...)
			continue
		}
		dst = append(dst, b[from:f.End]...)
	}
	return dst
}

var replacement = []byte("\uFFFD")
