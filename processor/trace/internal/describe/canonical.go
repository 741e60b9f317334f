package describe

import (
	"bytes"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// canonical makes a text that two maps share if and only if they hold the same keys and values, in whatever order.
type canonical struct {
	entries, sorted []byte
	ends            []extent
}

// extent is a range of bytes.
type extent struct{ from, to int }

// of returns the map's text, which is valid until the next call.
func (c *canonical) of(m pcommon.Map) []byte {
	c.entries, c.sorted, c.ends = c.entries[:0], c.sorted[:0], c.ends[:0]
	for k, v := range m.All() {
		from := len(c.entries)
		c.entries = append(append(strconv.AppendInt(c.entries, int64(len(k)), 10), ':'), k...)
		text := v.AsString()
		c.entries = append(strconv.AppendInt(c.entries, int64(v.Type()), 10), ':')
		c.entries = append(append(strconv.AppendInt(c.entries, int64(len(text)), 10), ':'), text...)
		c.ends = append(c.ends, extent{from, len(c.entries)})
	}
	entry := func(e extent) []byte { return c.entries[e.from:e.to] }
	slices.SortFunc(c.ends, func(x, y extent) int { return bytes.Compare(entry(x), entry(y)) })
	for _, e := range c.ends {
		c.sorted = append(c.sorted, entry(e)...)
	}
	return c.sorted
}

// Map returns the canonical text of a map: two maps share it if and only if they hold the same keys and values.
func Map(m pcommon.Map) string { return string(new(canonical).of(m)) }
