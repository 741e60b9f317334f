package assemble

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/clocks"
	"github.com/slowburn/slowburn/processor/trace/internal/link"
)

// Options are the caller's knowledge of the spans. The zero value is for a complete trace.
type Options struct {
	// Open reports whether spans of the trace may still arrive: then a missing parent is late, not lost.
	Open bool
}

// Batch assembles the traces of a wire.Kept, one at a time. It describes resources and scopes once for all traces, and
// remembers them for the next Kept.
type Batch struct {
	kept    *wire.Kept
	room    *room
	headers headers
	forest  link.Forest

	// State of the trace that is being assembled; empty between traces.
	opts     Options
	spans    []wire.KeptSpan
	policies map[int32]string // by index of spans: the policy that the span itself names
	copies   copies
	warnings []string
	stack    []step
	nodes    []int32 // by span of the trace: its node
	numbers  []int   // by node: its span
	last     []int   // by span: the last of its descendants; empty until a link needs it
	missing  int     // number of placeholders
	trace    *trace.Trace
}

// New returns a Batch for the traces of k. Only findings may be added to the spans of k meanwhile. The traces are views of the
// bytes of k and become invalid when k is Reset: their memory, Kept.Room, is reused for its next contents.
func New(k *wire.Kept) *Batch {
	b := batches.Get().(*Batch)
	b.kept = k
	r, ok := k.Room.(*room)
	if !ok {
		r = new(room)
		k.Room = r
	}
	b.room = r
	b.headers.read(k)
	return b
}

var batches = sync.Pool{New: func() any { return new(Batch) }}

// Release leaves the memory of b, and its knowledge of headers, to the next Batch. The traces stay valid. Calling it is
// optional.
func (b *Batch) Release() {
	b.kept, b.room = nil, nil
	batches.Put(b)
}

// Trace assembles a trace, by its index in Kept.Traces. It ignores spans that were left out.
func (b *Batch) Trace(t int, opts Options) *trace.Trace {
	defer b.reset()
	kept := &b.kept.Traces[t]
	b.opts = opts
	b.spans = b.kept.Spans[kept.From:kept.To]
	b.trace = &trace.Trace{ID: kept.ID, Primary: -1, Policy: policyIn(kept.Marks)}
	b.addNodes(kept)
	b.numberResources()
	b.copies = copies{kept: b.kept, headers: &b.headers, spans: b.spans}
	b.forest.Collapse(b.copies.collapse)
	b.forest.Link()
	b.addPlaceholders()
	b.layOut()
	b.resolveLinks()
	b.correctClocks()
	b.nameCauses()
	bringInOrder(b.trace, b.nodes)
	b.sumUp()
	return b.trace
}

// reset clears the state of one trace, also after a panic.
func (b *Batch) reset() {
	b.forest.Reset()
	clear(b.policies)
	b.copies = copies{}
	b.spans, b.warnings, b.trace, b.stack, b.last, b.missing = nil, nil, nil, b.stack[:0], b.last[:0], 0
}

// One assembles the trace of a Kept with only one trace.
func One(k *wire.Kept, opts Options) *trace.Trace { return New(k).Trace(0, opts) }

// addNodes makes a node of each span.
func (b *Batch) addNodes(kept *wire.KeptTrace) {
	b.forest.Nodes = slices.Grow(b.forest.Nodes, len(b.spans))
	for i := range b.spans {
		s := &b.spans[i]
		if s.Omitted {
			continue
		}
		r := &b.headers.resources[s.Resource]
		n := link.Node{
			ID: number(s.ID), Parent: number(s.ParentID), Start: s.Start, End: s.End, Kind: s.Kind, Of: int32(i),
			Resource: uint64(r.rank), Clock: r.clock, Service: r.service,
		}
		policy, late := b.marksOf(kept, s)
		if policy != "" {
			if b.policies == nil {
				b.policies = map[int32]string{}
			}
			b.policies[int32(i)] = policy
		}
		if late {
			n.Flags |= trace.FlagLate
		}
		b.forest.Nodes = append(b.forest.Nodes, n)
	}
}

func number(id wire.SpanID) uint64 { return binary.BigEndian.Uint64(id[:]) }

// correctClocks gives each span its clock and its corrected times.
func (b *Batch) correctClocks() {
	var warnings []string
	b.trace.Clocks, warnings = clocks.Correct(clocks.Forest{Spans: b.trace.Spans, Resources: b.trace.Resources})
	for _, w := range warnings {
		b.warn("%s", w)
	}
}

// maxWarnings is the largest number of warnings about one trace.
const maxWarnings = 20

func (b *Batch) warn(format string, args ...any) {
	if len(b.warnings) < maxWarnings {
		b.warnings = append(b.warnings, fmt.Sprintf(format, args...))
	}
}
