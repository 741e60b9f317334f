package divide

import (
	"encoding/binary"
	"math"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// attributesOf has the field number of a message's attributes.
var attributesOf = map[*schema.Message]int32{&schema.Span: 9, &schema.Resource: 1, &schema.Scope: 3}

// droppedBy has the field that counts what was left out of a message, by the number of the field left out.
var droppedBy = map[*schema.Message]map[int32]int32{
	&schema.Span:     {9: 10, 11: 12, 13: 14},
	&schema.Event:    {3: 4},
	&schema.Link:     {4: 5},
	&schema.Resource: {1: 2},
	&schema.Scope:    {3: 4},
}

// trimNode is a field of a message that may be cut.
type trimNode struct {
	msg    *schema.Message // of a parsed message: the root, a resource, an event, a link
	num    int32
	raw    []byte // the field, with tag and length
	body   []byte // its content
	parent *trimNode
	kids   []*trimNode
	text   []byte // the text that may be shortened: an attribute's, or the content
	left   int    // remaining length of the text
	// dropped reports whether the field is left out; drops counts the kids left out, by the number of their counting
	// field.
	dropped bool
	drops   map[int32]uint64
}

// owner returns the message with the mark: the span, or the resource or scope of a header; nil if there is
// none.
func (n *trimNode) owner() *trimNode {
	if attributesOf[n.msg] != 0 {
		return n
	}
	for _, kid := range n.kids {
		if attributesOf[kid.msg] != 0 {
			return kid
		}
	}
	return nil
}

// take drops an existing mark without counting it, and returns its value.
func (n *trimNode) take(key string) (value int64) {
	if n == nil {
		return 0
	}
	for _, kid := range n.kids {
		if kid.num != attributesOf[n.msg] {
			continue
		}
		if k, v := wire.KeyValue(kid.body); string(k) == key {
			value += v.Int()
			kid.dropped = true
		}
	}
	return value
}

// isTraceState reports whether the text is a tracestate, of the span or of a link.
func (n *trimNode) isTraceState() bool {
	return (n.parent.msg == &schema.Span || n.parent.msg == &schema.Link) && n.num == schema.SpanFieldTraceState
}

// gone reports whether the field or one around it is left out.
func (n *trimNode) gone() bool { return n.dropped || n.parent != nil && n.parent.gone() }

// size returns the largest possible size of the field.
func (n *trimNode) size() int {
	size := len(n.raw) - (len(n.text) - n.left) + n.counts()
	for _, kid := range n.kids {
		if kid.dropped {
			size -= kid.size()
		} else if kid.left != len(kid.text) {
			size -= len(kid.text) - kid.left
		}
	}
	return size
}

// counts returns the size of the fields that count what was left out.
func (n *trimNode) counts() (size int) {
	for range n.drops {
		size += 1 + binary.MaxVarintLen32
	}
	return size
}

// append appends the content of a message.
func (n *trimNode) append(dst []byte) []byte {
	counted := map[int32]uint64{}
	for _, kid := range n.kids {
		if kid.dropped {
			continue
		}
		if n.drops[kid.num] != 0 { // the old count: it is written below
			_, at := protobuf.Varint(kid.raw, 0)
			count, _ := protobuf.Varint(kid.raw, at)
			counted[kid.num] = uint64(uint32(count))
			continue
		}
		dst = kid.appendField(dst)
	}
	for _, num := range []int32{2, 4, 5, 10, 12, 14} {
		if n.drops[num] != 0 {
			dst = append(dst, byte(num)<<3|byte(protobuf.TypeVarint))
			dst = binary.AppendUvarint(dst, min(math.MaxUint32, counted[num]+n.drops[num]))
		}
	}
	return dst
}

// appendField appends the field, with tag and length.
func (n *trimNode) appendField(dst []byte) []byte {
	switch {
	case n.msg != nil:
		body := n.append(nil)
		return append(binary.AppendUvarint(protobuf.AppendTag(dst, n.num), uint64(len(body))), body...)
	case n.left == len(n.text):
		return append(dst, n.raw...)
	case len(n.text) == len(n.body):
		return append(binary.AppendUvarint(protobuf.AppendTag(dst, n.num), uint64(n.left)), n.text[:n.left]...)
	}
	key, _ := wire.KeyValue(n.body)
	return wire.StringAttribute(string(key), string(n.text[:n.left])).AppendField(dst, byte(n.num)<<3|byte(protobuf.TypeLen))
}
