package sli

import "github.com/slowburn/slowburn/internal/wire"

// attributes looks up the attributes that indicators ask for, of one span after the other, each at most once per span
// and once per run of spans with the same resource. Keys are known beforehand, and are asked for by index.
type attributes struct {
	keys           []string
	span, resource []byte
	ofSpan         memo
	ofResource     memo
}

func newAttributes(keys []string) attributes {
	return attributes{keys: keys, ofSpan: make(memo, len(keys)), ofResource: make(memo, len(keys))}
}

// setSpan goes on to the next span. Bodies must stay as they are until then.
func (a *attributes) setSpan(body []byte) {
	a.span = body
	a.ofSpan.reset()
}

// setResource goes on to the next resource.
func (a *attributes) setResource(body []byte) {
	a.resource = body
	a.ofResource.reset()
}

// release lets go of all bytes.
func (a *attributes) release() {
	a.setSpan(nil)
	a.setResource(nil)
}

// match says whether the span has the attribute, or else its resource, with the value.
func (a *attributes) match(c condition) bool {
	f := &a.ofSpan[c.key]
	if f.state == unknown {
		f.set(wire.SpanAttribute(a.span, a.keys[c.key]))
	}
	if f.state == absent {
		f = &a.ofResource[c.key]
		if f.state == unknown {
			f.set(wire.ResourceAttribute(a.resource, a.keys[c.key]))
		}
	}
	return f.state == present && hasText(f.value, c.value)
}

// memo is what is known of each key.
type memo []finding

type finding struct {
	value wire.Value
	state uint8
}

const (
	unknown uint8 = iota
	absent
	present
)

func (f *finding) set(v wire.Value, ok bool) {
	f.value, f.state = v, absent
	if ok {
		f.state = present
	}
}

func (m memo) reset() { clear(m) }

func hasText(v wire.Value, text string) bool {
	if v.Kind() == wire.String {
		return string(v.Bytes()) == text
	}
	return v.AsString() == text
}
