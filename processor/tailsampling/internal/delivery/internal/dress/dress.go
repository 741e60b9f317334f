// Package dress makes kept traces as they came into traces as they leave: in order, their text made UTF-8, with what was decided.
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
	// silent says that nothing is written but tracestates.
	silent bool
	plain  map[int32][]wire.Attribute // marks of traces of which there is nothing to say but the policy, by its number
}

// New returns a Dresser that names policies by these names. With silent nothing is written but tracestates.
func New(names *version.Names, silent bool) *Dresser {
	return &Dresser{names: names, silent: silent, plain: map[int32][]wire.Attribute{}}
}

// Found is what was noticed of a trace's spans while it was dressed, to be counted when it is delivered.
type Found struct {
	Repeats          int // that are passed on once although they are there more than once
	Unknown          int // with fields that will not survive decoding
	WithoutThreshold int // that could not get one
	Repaired         int // of which text was not UTF-8, or that of their resource or scope
}

// Dress dresses a trace of k, of which repairs were made so far. It fails where a span cannot be read, which is a defect: only
// what was scanned is in the log.
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

// setStates writes the trace's weight into its spans. A trace that has none, because something other than its randomness
// chose it, keeps no threshold of an earlier sampler either: what it stood for is not known any more.
func setStates(k *wire.Kept, trace int, t *shard.Kept, found *Found) {
	var last, updated []byte // spans of a trace tend to have the same
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

// marks are the facts that hold for the whole trace.
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
