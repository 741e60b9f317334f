package rest

import (
	"encoding/base64"
	"fmt"
	"iter"
	"math"
	"strconv"

	jsoniter "github.com/json-iterator/go"

	"github.com/slowburn/slowburn/internal/wire"
)

// exactInteger bounds the integers that JSON readers with doubles, such as browsers, represent exactly.
const exactInteger = 1 << 53

// fewKeys is how many keys of an object are compared one by one.
const fewKeys = 16

// Attributes writes attributes as an object that browsers read exactly: a number that JSON cannot hold (NaN, the infinities, an
// integer beyond 2^53) becomes a string. It writes the first of several equal keys; others follow all of attributes.
func (p *Page) Attributes(attributes iter.Seq2[[]byte, wire.Value], others ...Attribute) {
	p.Object(func() {
		keys := p.keys
		p.keys = keySet{} // for objects within
		for key, v := range attributes {
			p.attribute(&keys, key, v)
		}
		for _, a := range others {
			p.attribute(&keys, a.Key, a.Value)
		}
		p.held -= keys.held
		p.keys = keys.cleared()
	})
}

// Attribute is a key and its value, which refer to the bytes that they were read from.
type Attribute struct {
	Key   []byte
	Value wire.Value
}

func (p *Page) attribute(keys *keySet, key []byte, v wire.Value) {
	if keys.has(key) || !p.Item() {
		return
	}
	if p.held == mostKeys {
		p.left++
		return
	}
	p.held++
	keys.add(key)
	p.value()
	p.stream.WriteStringWithHTMLEscaped(p.short(view(key)))
	p.stream.WriteRaw(":")
	p.more = false
	p.Value(v)
}

// Value writes an attribute's value, as Attributes does.
func (p *Page) Value(v wire.Value) {
	switch v.Kind() {
	case wire.String:
		p.Bytes(v.Bytes())
	case wire.Bytes:
		p.binary(v.Bytes())
	case wire.Bool:
		p.Bool(v.Bool())
	case wire.Int:
		if !Exact(v) && !p.integers {
			p.Plain(strconv.FormatInt(v.Int(), 10))
			return
		}
		p.Int(v.Int())
	case wire.Double:
		if !Exact(v) {
			p.Plain(strconv.FormatFloat(v.Double(), 'g', -1, 64))
			return
		}
		p.value()
		p.stream.WriteFloat64(v.Double())
	case wire.KvList:
		p.Attributes(v.Pairs())
	case wire.Array:
		p.Array(func() {
			for element := range v.Elements() {
				if p.Item() {
					p.Value(element)
				}
			}
		})
	default:
		p.Null()
	}
}

// Exact reports whether JSON holds the number that a value is.
func Exact(v wire.Value) bool {
	if v.Kind() == wire.Double {
		return !math.IsNaN(v.Double()) && !math.IsInf(v.Double(), 0)
	}
	return v.Int() >= -exactInteger && v.Int() <= exactInteger
}

// Nested writes the JSON of a value as a string, for readers without arrays and maps. Long ones are cut.
func (p *Page) Nested(v wire.Value) {
	inner := Page{JSON: JSON{stream: jsoniter.NewStream(jsoniter.ConfigDefault, nil, 256)}, most: maxText, integers: true}
	inner.Value(v)
	if p.cut += inner.cut; inner.left > 0 {
		p.cut++
		inner.stream.WriteRaw("…")
	}
	p.Bytes(inner.stream.Buffer())
}

// binary writes bytes in base64. Long ones are cut.
func (p *Page) binary(b []byte) {
	const most = maxText / 4 * 3
	if len(b) <= most {
		p.Text(base64.StdEncoding.EncodeToString(b))
		return
	}
	p.cut++
	p.spent += maxText
	p.Plain(fmt.Sprintf("%s… (%d bytes more)", base64.StdEncoding.EncodeToString(b[:most]), base64.StdEncoding.EncodedLen(len(b))-maxText))
}

// keySet are the keys that an object has so far, in place.
type keySet struct {
	few  [][]byte
	many map[string]struct{}
	held int
}

func (s *keySet) has(key []byte) bool {
	if len(s.many) > 0 {
		_, known := s.many[string(key)]
		return known
	}
	for _, k := range s.few {
		if string(k) == string(key) {
			return true
		}
	}
	return false
}

func (s *keySet) add(key []byte) {
	s.held++
	if len(s.many) == 0 && len(s.few) < fewKeys {
		s.few = append(s.few, key)
		return
	}
	if s.many == nil {
		s.many = map[string]struct{}{}
	}
	for _, k := range s.few {
		s.many[view(k)] = struct{}{}
	}
	s.few = s.few[:0]
	s.many[view(key)] = struct{}{}
}

// mostKeys is how many keys an object has at most, with those of the objects around it, as they are in memory while it is written.
const mostKeys = 16 << 10

// cleared is the set without keys, and with its memory.
func (s *keySet) cleared() keySet {
	clear(s.many)
	return keySet{few: s.few[:0], many: s.many}
}

// Spans returns how many of n spans the answer shows, and a warning if not all.
func (p *Page) Spans(n int) (shown int, warnings []string) {
	if n <= MaxSpans {
		return n, nil
	}
	return MaxSpans, []string{fmt.Sprintf("%d of %d spans are left out: an answer has at most %d", n-MaxSpans, n, MaxSpans)}
}

// Warnings are sentences about what the answer does not have.
func (p *Page) Warnings() (warnings []string) {
	if p.cut > 0 {
		warnings = append(warnings, fmt.Sprintf("%d texts are cut, and end in an ellipsis and what is missing: an answer has at most 64 KiB of each", p.cut))
	}
	if p.left > 0 {
		warnings = append(warnings, fmt.Sprintf(
			"%d attributes, events and links are left out: an answer has at most 32 MiB of them; slowburn sample reads all", p.left))
	}
	return warnings
}
