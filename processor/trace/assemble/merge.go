package assemble

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/internal/describe"
	"github.com/slowburn/slowburn/processor/trace/internal/link"
)

// merged is the sum of several copies of a span.
type merged struct {
	body   []byte // a Span message
	others []int  // the copies except the first
}

// Numbers of fields of Span, and of a KeyValue's key.
const (
	fieldAttributes = 9
	fieldEvents     = 11
	fieldLinks      = 13
	fieldKey        = 1
)

// merge adds to the first span the attributes, events and links that only the others have.
func (c *copies) merge(distinct []link.Node) {
	first := &distinct[0]
	first.Flags |= trace.FlagMerged
	m := merged{body: slices.Clone(c.spans[first.Of].Body.Of(c.kept.Bytes))}
	seen := map[string]bool{}
	for num, content := range members(m.body) {
		seen[memberKey(num, content)] = true
	}
	for _, other := range distinct[1:] {
		m.others = append(m.others, int(other.Of))
		first.Flags |= other.Flags
		for num, content := range members(c.spans[other.Of].Body.Of(c.kept.Bytes)) {
			if key := memberKey(num, content); !seen[key] {
				seen[key] = true
				m.body = protowire.AppendBytes(protowire.AppendTag(m.body, num, protowire.BytesType), content)
			}
		}
	}
	slices.Sort(m.others)
	if c.merged == nil {
		c.merged = map[int32]merged{}
	}
	c.merged[first.Of] = m
}

// members iterates over the attributes, events and links of a Span message, by field number.
func members(span []byte) func(yield func(protowire.Number, []byte) bool) {
	return func(yield func(protowire.Number, []byte) bool) {
		for len(span) > 0 {
			num, typ, head := protowire.ConsumeTag(span)
			if head < 0 {
				return // cannot happen after a scan
			}
			size := protowire.ConsumeFieldValue(num, typ, span[head:])
			if size < 0 {
				return
			}
			if typ == protowire.BytesType && (num == fieldAttributes || num == fieldEvents || num == fieldLinks) {
				content, _ := protowire.ConsumeBytes(span[head:])
				if !yield(num, content) {
					return
				}
			}
			span = span[head+size:]
		}
	}
}

// memberKey identifies a member for merging: an attribute by its key, an event or link by its whole content.
func memberKey(num protowire.Number, content []byte) string {
	switch num {
	case fieldEvents:
		t := wire.EventTime(content)
		return "e" + string(protowire.AppendFixed64(nil, t)) + string(wire.EventName(content)) + describe.Text(wire.EventAttributes(content))
	case fieldLinks:
		for l := range wire.SpanLinks(protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), content)) {
			return "l" + string(l.TraceID[:]) + string(l.SpanID[:]) + string(l.TraceState) + describe.Text(wire.LinkAttributes(content))
		}
		return "l"
	default:
		return "a" + keyOf(content)
	}
}

// keyOf returns the key of a KeyValue.
func keyOf(kv []byte) (key string) {
	for len(kv) > 0 {
		num, typ, head := protowire.ConsumeTag(kv)
		if head < 0 {
			break // cannot happen after a scan
		}
		size := protowire.ConsumeFieldValue(num, typ, kv[head:])
		if size < 0 {
			break
		}
		if num == fieldKey && typ == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(kv[head:])
			key = string(content)
		}
		kv = kv[head+size:]
	}
	return key
}
