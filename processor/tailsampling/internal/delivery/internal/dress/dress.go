// Package dress prepares kept traces for delivery: sorted, with valid UTF-8, and with their decision written on them.
package dress

import (
	"bytes"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Dresser dresses traces. One goroutine uses it at a time.
type Dresser struct {
	names *version.Names
	// silent reports whether only tracestates are written.
	silent bool
	plain  map[int32][]wire.Attribute // marks of traces with a policy and no other mark, by the policy's number
}

// New returns a Dresser that takes the names of policies from names. With silent it writes only tracestates.
func New(names *version.Names, silent bool) *Dresser {
	return &Dresser{names: names, silent: silent, plain: map[int32][]wire.Attribute{}}
}

// Found counts properties of a trace's spans, to be added up when the trace is delivered.
type Found struct {
	Repeats          int // repeated spans, which are left out
	Unknown          int // spans with fields that decoding loses
	WithoutThreshold int // spans that could not get a threshold
	Repaired         int // spans with text that was not UTF-8, or with such a resource or scope
}

// Dress dresses a trace of k; made holds the repairs of k so far. It fails if a span cannot be read, which is a defect, as the
// log only has scanned spans.
func (d *Dresser) Dress(k *wire.Kept, trace int, decided *shard.Kept, made *Repairs) (found Found, err error) {
	texts := made.spans(k, trace, d.silent)
	found.Repaired = texts.spans
	if found.Repeats, err = k.Arrange(trace); err != nil {
		return found, err
	}
	setStates(k, trace, decided, &found)
	if !d.silent {
		k.Traces[trace].Marks = d.marks(decided, texts.headers)
	}
	return found, nil
}

// setStates writes the trace's weight into its spans. In a trace without a weight, because something other than its
// randomness chose it, it also removes thresholds of earlier samplers: the trace's adjusted count is unknown.
func setStates(k *wire.Kept, trace int, t *shard.Kept, found *Found) {
	var last, updated []byte // spans of a trace often share a tracestate
	var ok bool
	for j, first := k.Traces[trace].From, true; j < k.Traces[trace].To; j++ {
		s := &k.Spans[j]
		if s.Unknown {
			found.Unknown++
		}
		state := s.TraceState.Of(k.Bytes)
		if first || !bytes.Equal(state, last) {
			var text string
			text, ok = tracestate.Update(string(state), t.ID, t.Random, t.Threshold)
			last, updated, first = state, []byte(text), false
		}
		if !ok && t.Threshold != tracestate.None {
			found.WithoutThreshold++
		}
		if !bytes.Equal(updated, state) {
			k.SetTraceState(j, updated)
		}
	}
}

// marks returns the attributes of the whole trace.
func (d *Dresser) marks(t *shard.Kept, repaired bool) []wire.Attribute {
	marks := d.plain[t.Policy]
	if marks == nil {
		name := d.names.Of(t.Policy)
		marks = append(marks, wire.StringAttribute(attr.Policy, name.Policy))
		if name.Sub != "" {
			marks = append(marks, wire.StringAttribute(attr.CompositePolicy, name.Sub))
		}
		d.plain[t.Policy] = marks[:len(marks):len(marks)]
	}
	if t.Late {
		marks = append(marks[:len(marks):len(marks)], wire.BoolAttribute(attr.CachedDecision, true))
	}
	if !t.Linked.IsZero() {
		marks = append(marks[:len(marks):len(marks)], wire.StringAttribute(attr.Linked, t.Linked.String()))
	}
	if t.Revived {
		marks = append(marks[:len(marks):len(marks)], wire.BoolAttribute(attr.Revived, true))
	}
	if t.Trimmed > 0 {
		marks = append(marks[:len(marks):len(marks)], wire.IntAttribute(attr.TrimmedSpans, int64(t.Trimmed)))
	}
	if repaired {
		marks = append(marks[:len(marks):len(marks)], wire.BoolAttribute(attr.TextRepaired, true))
	}
	return marks
}
