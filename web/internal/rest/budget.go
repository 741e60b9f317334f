package rest

import (
	"encoding/base64"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/brief"
)

const (
	// MaxSpans is how many spans an answer has: it is held in memory.
	MaxSpans = 100_000
	// maxText is how many bytes of one text an answer has.
	maxText = 64 << 10
	// maxDetails is how many bytes of texts and attributes an answer has in all.
	maxDetails = 32 << 20
	// spentText is how many bytes of one text an answer has once it has maxDetails.
	spentText = 128
	// itemBytes is what an attribute, an event or a link takes beside its texts.
	itemBytes = 32
)

// Budget bounds an answer with what clients sent: it cuts long texts, and leaves attributes out once there are too many. Warnings
// say what was cut. It is for one answer, and one goroutine.
type Budget struct {
	spent     int
	cut, left int
}

// Text returns a text, cut where it is too long.
func (b *Budget) Text(text string) string {
	most := maxText
	if b.spent > maxDetails {
		most = spentText
	}
	if len(text) > most {
		text = brief.Text(text, most)
		b.cut++
	}
	b.spent += len(text)
	return text
}

// Item reports whether there is room for another attribute, event or link.
func (b *Budget) Item() bool {
	if b.spent+itemBytes > maxDetails {
		b.left++
		return false
	}
	b.spent += itemBytes
	return true
}

// Repeat reports whether there is room for what a number of items take again that were in the answer before.
func (b *Budget) Repeat(items, bytes int) bool {
	if b.spent+bytes > maxDetails {
		b.left += items
		return false
	}
	b.spent += bytes
	return true
}

// Full reports whether something was left out for lack of room.
func (b *Budget) Full() bool { return b.left > 0 || b.spent > maxDetails }

// Spent is how many bytes were taken so far.
func (b *Budget) Spent() int { return b.spent }

// Attributes is Attributes, as far as there is room.
func (b *Budget) Attributes(m pcommon.Map) map[string]any {
	out := make(map[string]any, min(m.Len(), 1024))
	for key, value := range m.All() {
		if _, twice := out[key]; twice || !b.Item() {
			continue
		}
		out[b.Text(key)] = b.Value(value)
	}
	return out
}

// Value is Value, as far as there is room.
func (b *Budget) Value(v pcommon.Value) any {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return b.Text(v.Str())
	case pcommon.ValueTypeBytes:
		return b.Text(base64.StdEncoding.EncodeToString(v.Bytes().AsRaw()))
	case pcommon.ValueTypeMap:
		return b.Attributes(v.Map())
	case pcommon.ValueTypeSlice:
		list := make([]any, 0, min(v.Slice().Len(), 1024))
		for _, item := range v.Slice().All() {
			if b.Item() {
				list = append(list, b.Value(item))
			}
		}
		return list
	default:
		return Value(v)
	}
}

// Spans returns how many of so many spans the answer has, and warns where that is not all.
func (b *Budget) Spans(n int) (shown int, warnings []string) {
	if n <= MaxSpans {
		return n, nil
	}
	return MaxSpans, []string{fmt.Sprintf("%d spans of %d are left out here: an answer has at most %d", n-MaxSpans, n, MaxSpans)}
}

// Warnings are sentences about what the answer does not have.
func (b *Budget) Warnings() (warnings []string) {
	if b.cut > 0 {
		warnings = append(warnings, fmt.Sprintf("%d texts are cut here, with how much after an ellipsis: an answer has at most 64 KiB of one", b.cut))
	}
	if b.left > 0 {
		warnings = append(warnings, fmt.Sprintf(
			"%d attributes, events and links are left out here: an answer has at most 32 MiB of them, and slowburn sample reads all", b.left))
	}
	return warnings
}
