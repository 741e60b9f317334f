package edit

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

const none int16 = -1

// attribute is one of a message: a field of it, unless a literal has taken its place. key is an index into Actions.keys.
type attribute struct {
	field        wire.Range
	key, literal int16
}

// message is a span or a resource whose attributes are changed.
type message struct {
	typ   *schema.Message
	field int32 // number of the attributes
	body  []byte

	attributes []attribute
	others     []wire.Range // the fields between them
	came       int          // how many attributes there were
	moved      bool         // some of these are gone, or have other values
}

// read finds the attributes of a body that has been scanned.
func (m *message) read(a *Actions, body []byte) {
	m.body, m.attributes, m.others, m.moved = body, m.attributes[:0], m.others[:0], false
	tag := byte(m.field)<<3 | byte(protobuf.TypeLen)
	for pos := 0; pos < len(body); {
		start, end := 0, 0
		if b := body[pos:]; len(b) >= 2 && b[0] == tag && b[1] < 0x80 && 2+int(b[1]) <= len(b) {
			start, end = pos+2, pos+2+int(b[1])
		} else {
			f, err := m.typ.Next(body, pos)
			if err != nil {
				break // not after a scan
			}
			if f.Num != m.field {
				m.other(pos, f.End)
				pos = f.End
				continue
			}
			start, end = f.Start, f.End
		}
		kv := body[start:end]
		key, _, plain := schema.SplitPlain(kv)
		if !plain {
			key, _ = wire.KeyValue(kv)
		}
		m.attributes = append(m.attributes, attribute{wire.Range{Off: uint32(pos), End: uint32(end)}, a.index(key), none})
		pos = end
	}
	m.came = len(m.attributes)
}

// other notes a field that is no attribute; those next to each other are one range.
func (m *message) other(start, end int) {
	if n := len(m.others); n > 0 && m.others[n-1].End == uint32(start) {
		m.others[n-1].End = uint32(end)
		return
	}
	m.others = append(m.others, wire.Range{Off: uint32(start), End: uint32(end)})
}

// apply takes the steps, as pcommon.Map does: what a removal leaves open the last attribute fills.
func (m *message) apply(a *Actions) {
	for _, s := range a.steps {
		at := m.find(s.key)
		switch {
		case s.kind == Delete && at >= 0:
			last := len(m.attributes) - 1
			m.attributes[at] = m.attributes[last]
			m.attributes = m.attributes[:last]
			m.moved = true
		case s.kind == Delete, at < 0 && s.kind == Update, at >= 0 && s.kind == Insert:
		case at >= 0:
			m.attributes[at].literal = s.literal
			m.moved = true
		default:
			m.attributes = append(m.attributes, attribute{key: s.key, literal: s.literal})
		}
	}
}

// find returns the first attribute with the key, -1 if there is none.
func (m *message) find(key int16) int {
	for i := range m.attributes {
		if m.attributes[i].key == key {
			return i
		}
	}
	return -1
}

// unchanged reports whether the body is as it was.
func (m *message) unchanged() bool { return !m.moved && len(m.attributes) == m.came }

// append appends the changed body, and tells placed where each range of the body went, attributes that were replaced aside.
func (m *message) append(dst []byte, a *Actions, placed func(from wire.Range, to int)) []byte {
	added := m.attributes
	if m.moved {
		for _, r := range m.others {
			placed(r, len(dst))
			dst = append(dst, r.Of(m.body)...)
		}
	} else {
		placed(wire.Range{End: uint32(len(m.body))}, len(dst))
		dst = append(dst, m.body...)
		added = m.attributes[m.came:]
	}
	tag := byte(m.field)<<3 | byte(protobuf.TypeLen)
	var run wire.Range // of attributes that stand as they stood
	for _, at := range added {
		if at.literal == none && at.field.Off == run.End {
			run.End = at.field.End
			continue
		}
		dst = append(dst, run.Of(m.body)...)
		if run = at.field; at.literal != none {
			run = wire.Range{}
			dst = protobuf.AppendLen(dst, tag, a.literals[at.literal])
		}
	}
	return append(dst, run.Of(m.body)...)
}
