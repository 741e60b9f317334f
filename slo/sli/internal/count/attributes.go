package count

import (
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
)

// attributes evaluates the conditions of indicators on one span after the other. It looks up each condition and each key at
// most once per span, and those of a resource once per run of spans that share it.
type attributes struct {
	keys       []string
	conditions []condition

	span, resource []byte
	met            []state // by condition
	ofSpan         []finding
	ofResource     []finding // by key
}

// condition is the index of a key in attributes.keys, and the text that its value must be.
type condition struct {
	key   int
	value string
}

// finding is the cached look-up of a key.
type finding struct {
	value wire.Value
	state state
}

type state uint8

const (
	stateUnknown state = iota
	stateNo
	stateYes
)

func stateOf(ok bool) state {
	if ok {
		return stateYes
	}
	return stateNo
}

// clone returns attributes with the same conditions and a cache of their own.
func (a *attributes) clone() attributes {
	return attributes{keys: a.keys, conditions: a.conditions, met: make([]state, len(a.met)),
		ofSpan: make([]finding, len(a.ofSpan)), ofResource: make([]finding, len(a.ofResource))}
}

// add returns the index of a condition, which it adds if it is new.
func (a *attributes) add(key, value string) int {
	k := slices.Index(a.keys, key)
	if k < 0 {
		k = len(a.keys)
		a.keys = append(a.keys, key)
		a.ofSpan = append(a.ofSpan, finding{})
		a.ofResource = append(a.ofResource, finding{})
	}
	c := condition{k, value}
	i := slices.Index(a.conditions, c)
	if i < 0 {
		i = len(a.conditions)
		a.conditions = append(a.conditions, c)
		a.met = append(a.met, stateUnknown)
	}
	return i
}

// setSpan moves on to the next span. body must not change until the next call.
func (a *attributes) setSpan(body []byte) {
	a.span = body
	clear(a.met)
	clear(a.ofSpan)
}

// setResource moves on to the next resource.
func (a *attributes) setResource(body []byte) {
	a.resource = body
	clear(a.ofResource)
}

// release drops all references to spans and resources.
func (a *attributes) release() {
	a.setSpan(nil)
	a.setResource(nil)
}

// match reports whether the span, or else its resource, has the attribute with the value.
func (a *attributes) match(i int) bool {
	if a.met[i] == stateUnknown {
		c := a.conditions[i]
		f := a.find(c.key)
		a.met[i] = stateOf(f.state == stateYes && hasText(f.value, c.value))
	}
	return a.met[i] == stateYes
}

// find looks a key up in the span, then in the resource.
func (a *attributes) find(key int) *finding {
	f := &a.ofSpan[key]
	if f.state == stateUnknown {
		v, ok := wire.SpanAttribute(a.span, a.keys[key])
		*f = finding{v, stateOf(ok)}
	}
	if f.state == stateYes {
		return f
	}
	f = &a.ofResource[key]
	if f.state == stateUnknown {
		v, ok := wire.ResourceAttribute(a.resource, a.keys[key])
		*f = finding{v, stateOf(ok)}
	}
	return f
}

func hasText(v wire.Value, text string) bool {
	if v.Kind() == wire.String {
		return string(v.Bytes()) == text
	}
	return v.AsString() == text
}
