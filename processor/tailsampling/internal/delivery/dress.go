package delivery

import (
	"bytes"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// dresser makes traces as they came into traces as they leave: in order, text made UTF-8, with what was decided.
type dresser struct {
	names *version.Names
	// silent says that nothing is written but tracestates.
	silent bool
	plain  map[int32][]wire.Attribute // marks of traces of which there is nothing to say but the policy, by its number
}

func newDresser(names *version.Names, silent bool) *dresser {
	return &dresser{names: names, silent: silent, plain: map[int32][]wire.Attribute{}}
}

// dress dresses a trace of a load. It fails where a span cannot be read, which is a defect: only what was scanned is in the
// log.
func (d *dresser) dress(l *load, i int) (err error) {
	t := &l.traces[i]
	texts := l.repaired.spans(&l.kept, i, d.silent)
	t.repaired = texts.spans
	if t.repeats, err = l.kept.Arrange(i); err != nil {
		return err
	}
	d.setStates(l, i)
	if !d.silent {
		l.kept.Traces[i].Marks = d.marks(t, texts.headers)
	}
	return nil
}

// setStates writes the trace's weight into its spans. A trace that has none, because something other than its randomness
// chose it, keeps no threshold of an earlier sampler either: what it stood for is not known any more.
func (d *dresser) setStates(l *load, i int) {
	t, k := &l.traces[i], &l.kept
	var last, updated []byte // spans of a trace tend to have the same
	var ok bool
	for j, first := k.Traces[i].From, true; j < k.Traces[i].To; j++ {
		s := &k.Spans[j]
		if s.Unknown {
			t.unknown++
		}
		state := s.TraceState.Of(k.Bytes)
		if first || !bytes.Equal(state, last) {
			var text string
			text, ok = tracestate.Update(string(state), t.ID, t.Random, t.Threshold)
			last, updated, first = state, []byte(text), false
		}
		if !ok && t.Threshold != tracestate.None {
			t.withoutThreshold++
		}
		if !bytes.Equal(updated, state) {
			k.SetTraceState(j, updated)
		}
	}
}

// marks are the facts that hold for the whole trace.
func (d *dresser) marks(t *outgoing, repaired bool) []wire.Attribute {
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
