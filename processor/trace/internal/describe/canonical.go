package describe

import (
	"bytes"
	"iter"
	"slices"
	"strconv"

	"github.com/slowburn/slowburn/internal/wire"
)

// canonical builds a text that is equal for two sets of attributes if and only if they have the same keys and values, in
// any order. The zero value is ready.
type canonical struct {
	entries []byte
	ends    []extent
}

// extent is a range of bytes.
type extent struct{ from, to int }

// add adds an attribute.
func (c *canonical) add(key []byte, v wire.Value) {
	from := len(c.entries)
	c.entries = append(append(strconv.AppendInt(c.entries, int64(len(key)), 10), ':'), key...)
	c.entries = append(strconv.AppendInt(c.entries, int64(v.Kind()), 10), ':')
	if v.Kind() == wire.String {
		c.entries = append(append(strconv.AppendInt(c.entries, int64(len(v.Bytes())), 10), ':'), v.Bytes()...)
	} else {
		text := v.AsString()
		c.entries = append(append(strconv.AppendInt(c.entries, int64(len(text)), 10), ':'), text...)
	}
	c.ends = append(c.ends, extent{from, len(c.entries)})
}

// text returns the text of the added attributes.
func (c *canonical) text() string {
	entry := func(e extent) []byte { return c.entries[e.from:e.to] }
	slices.SortFunc(c.ends, func(x, y extent) int { return bytes.Compare(entry(x), entry(y)) })
	sorted := make([]byte, 0, len(c.entries))
	for _, e := range c.ends {
		sorted = append(sorted, entry(e)...)
	}
	return string(sorted)
}

// Text returns the canonical text of attributes in the form of package wire.
func Text(attributes iter.Seq2[[]byte, wire.Value]) string {
	var c canonical
	for key, v := range attributes {
		c.add(key, v)
	}
	return c.text()
}
