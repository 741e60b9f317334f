package divide

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// minText is the length to which a text is cut while others can be cut.
const minText = 1 << 10

// trim returns a message with its largest parts cut, so that it is at most limit bytes long, or longer if the rest must stay.
// First it cuts large values of attributes: text is shortened, other values are left out. Then it shortens other text and leaves
// out a large trace state. Then it leaves out events and links, and then attributes, the largest first and the last of equals. It
// counts what it leaves out where OTLP does. IDs, times, kind, status code and unknown fields stay. The attribute key, on the
// span or on the resource or scope of a header, has the number of bytes cut, including earlier cuts.
func trim(m *schema.Message, b []byte, limit int, key string) (out []byte, cut int) {
	t := trimmer{over: len(b) - limit}
	root := t.read(m, 0, b, nil)
	owner := root.owner()
	before := owner.take(key)
	t.over += markSize(key)
	t.cutValues()
	t.cutTexts()
	t.dropTraceStates()
	t.drop()
	if cut = len(b) - len(root.append(nil)); cut <= 0 || owner == nil {
		return b, 0
	}
	mark := wire.IntAttribute(key, before+int64(cut))
	owner.kids = append(owner.kids, &trimNode{raw: mark.AppendField(nil, byte(attributesOf[owner.msg])<<3|byte(protobuf.TypeLen))})
	if out = root.append(nil); len(out) >= len(b) {
		return b, 0
	}
	return out, cut
}

// markSize returns the largest size of the mark, with what it adds to the lengths around it.
func markSize(key string) int { return len(key) + 32 }

// trimmer cuts a message.
type trimmer struct {
	over       int         // number of bytes still to cut
	droppables []*trimNode // attributes, events and links
	texts      []*trimNode // other text
}

// read builds the tree of a message's fields.
func (t *trimmer) read(m *schema.Message, num int32, b []byte, parent *trimNode) *trimNode {
	n := &trimNode{msg: m, num: num, body: b, parent: parent}
	for pos := 0; pos < len(b); {
		f, err := m.Next(b, pos)
		if err != nil {
			break // cannot happen after a scan
		}
		raw, body := b[pos:f.End], b[f.Start:f.End]
		pos = f.End
		known := m.Field(f.Num)
		kid := &trimNode{num: f.Num, parent: n}
		if _, counts := droppedBy[known.Message]; counts || known.Message == &schema.Status {
			kid = t.read(known.Message, f.Num, body, n)
		}
		kid.raw, kid.body = raw, body
		n.kids = append(n.kids, kid)
		switch {
		case droppedBy[m][f.Num] != 0:
			t.droppables = append(t.droppables, kid)
			if known.Message == &schema.KeyValue {
				kid.text = plainText(body)
				kid.left = len(kid.text)
			}
		case m.IsText(known):
			kid.text, kid.left = body, len(body)
			t.texts = append(t.texts, kid)
		}
	}
	return n
}

// plainText returns the text of an attribute that has only a key and a text.
func plainText(kv []byte) []byte {
	key, v := wire.KeyValue(kv)
	if v.Kind() != wire.String {
		return nil
	}
	text := v.Bytes()
	if plain := protobuf.LenSize(len(key)) + protobuf.LenSize(protobuf.LenSize(len(text))); plain != len(kv) {
		return nil
	}
	return text
}

// cutValues shortens texts of attributes, and leaves out other large values.
func (t *trimmer) cutValues() {
	var large []*trimNode
	for _, n := range t.droppables {
		if n.msg == nil && len(n.body) > minText {
			large = append(large, n)
		}
	}
	slices.SortStableFunc(large, func(a, b *trimNode) int { return cmp.Compare(len(b.body), len(a.body)) })
	for _, n := range large {
		if t.over <= 0 {
			return
		}
		if n.dropped {
			continue
		}
		if len(n.text) > minText {
			t.shorten(n)
		} else {
			t.leaveOut(n)
		}
	}
}

// cutTexts shortens names and similar text.
func (t *trimmer) cutTexts() {
	slices.SortStableFunc(t.texts, func(a, b *trimNode) int { return cmp.Compare(len(b.text), len(a.text)) })
	for _, n := range t.texts {
		if t.over <= 0 || len(n.text) <= minText {
			return
		}
		if !n.isTraceState() {
			t.shorten(n)
		}
	}
}

// drop leaves out events, links and their attributes, and then attributes of the message itself.
func (t *trimmer) drop() {
	if t.over <= 0 {
		return
	}
	type candidate struct {
		*trimNode
		own  bool
		size int
	}
	all := make([]candidate, len(t.droppables))
	for i, n := range t.droppables {
		all[len(all)-1-i] = candidate{n, n.num == attributesOf[n.parent.msg], n.size()} // the last of equals comes first
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		if a.own != b.own {
			if a.own {
				return 1
			}
			return -1
		}
		return cmp.Compare(b.size, a.size)
	})
	for _, n := range all {
		if t.over <= 0 {
			return
		}
		if !n.gone() {
			t.leaveOut(n.trimNode)
		}
	}
}

// dropTraceStates leaves out large trace states, which would be meaningless if shortened.
func (t *trimmer) dropTraceStates() {
	for _, n := range t.texts {
		if t.over > 0 && n.isTraceState() && len(n.text) > minText && !n.gone() {
			t.over, n.left = t.over-n.left, 0
		}
	}
}

// shorten cuts as much of a text as necessary, or down to minText.
func (t *trimmer) shorten(n *trimNode) {
	before := n.left
	n.left = max(minText, n.left-t.over)
	for n.left > 0 && before > n.left && !utf8.RuneStart(n.text[n.left]) {
		n.left--
	}
	t.over -= before - n.left
}

// leaveOut leaves a field out, and counts it.
func (t *trimmer) leaveOut(n *trimNode) {
	before := n.parent.counts()
	t.over -= n.size()
	n.dropped = true
	if n.parent.drops == nil {
		n.parent.drops = map[int32]uint64{}
	}
	n.parent.drops[droppedBy[n.parent.msg][n.num]]++
	t.over += n.parent.counts() - before
}
