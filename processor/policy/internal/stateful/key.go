package stateful

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rates"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Fields of a key that are not attributes.
const (
	fieldName   = "name"   // of the root span
	fieldStatus = "status" // whether the trace has a span with an error
)

// traceKey finds a trace's key: the values of some fields of its root span. Of several roots the one that starts first
// counts, then the one with the lowest span ID; without a root, the span to which this applies.
//
// It sees spans in any order, so it stores in words of the trace which span gave the key. See the word constants.
type traceKey struct {
	fields []string
	word   int // the first of keyWords
	status bool
	texts  *keyTexts
}

// The words of a trace that a traceKey has.
const (
	rankWord  = iota // of the span that gave the key; 0 before there is one
	spanWord         // its ID
	hashWord         // of the key's values
	countWord        // its adjusted count at arrival, a float64
	keyWords
)

const (
	// maxKeyValue is the number of bytes of a field's value that are read.
	maxKeyValue = 128
	// fieldEnd separates the values of a key, and statusHere marks the place of the field status.
	fieldEnd, statusHere = '\x00', '\x01'
	// failedKey changes the hash of a key if the trace has an error and status is a field.
	failedKey = 0x9e3779b97f4a7c15
)

// keySeed is the same for all sets, so that a set can inherit the counts of another.
var keySeed = maphash.MakeSeed()

// newKey returns the observer of a key. Policies with the same key share it. Its errors begin with "key".
func newKey(b *ask.Builder, fields []string, maxKeys int) (*traceKey, error) {
	var errs []error
	for i, f := range fields {
		if f == "" {
			errs = append(errs, fmt.Errorf("key[%d]: is empty; write %s, %s or the name of an attribute", i, fieldName, fieldStatus))
		} else if slices.Contains(fields[:i], f) {
			errs = append(errs, fmt.Errorf("key[%d]: %q is in the key already; remove it", i, f))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, o := range b.Observers() {
		if k, ok := o.(*traceKey); ok && slices.Equal(k.fields, fields) {
			k.texts.limit = max(k.texts.limit, maxKeys)
			return k, nil
		}
	}
	k := &traceKey{fields: fields, word: b.Word(), status: slices.Contains(fields, fieldStatus), texts: newKeyTexts(maxKeys)}
	for range keyWords - 1 {
		b.Word()
	}
	b.Observe(k)
	return k, nil
}

func (k *traceKey) Observe(words []uint64, v *rule.SpanView) {
	w := words[k.word : k.word+keyWords : k.word+keyWords]
	rank, id := rankOf(v.Span), spanID(v.Span.ID)
	if rank < w[rankWord] || rank == w[rankWord] && id > w[spanWord] {
		return
	}
	var room [4 * maxKeyValue]byte
	text := k.appendText(room[:0], v)
	hash := max(maphash.Bytes(keySeed, text), rates.Other+1)
	count := math.Float64bits(tracestate.AdjustedCountOf(v.Span.TraceID, v.TraceState()))
	// Two different spans with one ID are a sender's mistake, which must not make the order matter.
	if rank == w[rankWord] && id == w[spanWord] && (hash > w[hashWord] || hash == w[hashWord] && count <= w[countWord]) {
		return
	}
	w[rankWord], w[spanWord], w[hashWord], w[countWord] = rank, id, hash, count
	k.texts.add(hash, text)
}

func spanID(id wire.SpanID) uint64 { return binary.BigEndian.Uint64(id[:]) }

// rankOf orders spans by how well they identify the trace: roots before children, then earliest start. Higher
// wins; never 0, which means unset.
func rankOf(span *wire.Span) uint64 {
	const noRoot, unknown = 1 << 63, 1<<63 - 2
	rank := span.Start
	if rank == 0 || rank > unknown {
		rank = unknown
	}
	if !span.ParentID.IsZero() {
		rank |= noRoot
	}
	return ^rank
}

// appendText appends the values of the fields.
func (k *traceKey) appendText(text []byte, v *rule.SpanView) []byte {
	for i, f := range k.fields {
		if i > 0 {
			text = append(text, fieldEnd)
		}
		switch f {
		case fieldName:
			text = append(text, cutValue(v.Name())...)
		case fieldStatus:
			text = append(text, statusHere)
		default:
			value, ok := wire.SpanAttribute(v.Body, f)
			if !ok {
				value, _ = v.ResourceAttribute(f)
			}
			text = appendValue(text, value)
		}
	}
	return text
}

func appendValue(text []byte, v wire.Value) []byte {
	switch v.Kind() {
	case wire.String:
		return append(text, cutValue(v.Bytes())...)
	case wire.Int:
		return strconv.AppendInt(text, v.Int(), 10)
	case wire.Bool:
		return strconv.AppendBool(text, v.Bool())
	default:
		return append(text, cutValue([]byte(v.AsString()))...)
	}
}

func cutValue(b []byte) []byte { return b[:min(len(b), maxKeyValue)] }

// of returns the hash of a trace's key.
func (k *traceKey) of(t *rule.Trace) uint64 {
	hash := t.Bits[k.word+hashWord]
	if k.status && rule.IsSet(t.Bits, rule.ErrorBit) {
		hash = max(hash^failedKey, rates.Other+1)
	}
	return hash
}

// count returns the number of traces that a trace stood for when it arrived, because of upstream sampling.
func (k *traceKey) count(t *rule.Trace) float64 {
	return max(1, math.Float64frombits(t.Bits[k.word+countWord]))
}

// text returns the key of a trace in readable form, empty if it is not remembered any more.
func (k *traceKey) text(t *rule.Trace) string {
	status := "ok"
	if rule.IsSet(t.Bits, rule.ErrorBit) {
		status = "error"
	}
	text := k.texts.of(t.Bits[k.word+hashWord])
	return strings.NewReplacer(string(rune(fieldEnd)), ", ", string(rune(statusHere)), status).Replace(text)
}
