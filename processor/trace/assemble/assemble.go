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

// Options say what the caller knows about the spans. The zero value is right for a trace that was waited for.
type Options struct {
	// Open says that spans of the trace may still arrive: a parent that is missing is late, not lost.
	Open bool
}

// Batch puts traces of a wire.Kept together, one at a time. What their resources and scopes say is read once for all, and
// remembered for the next Kept.
type Batch struct {
	kept    *wire.Kept
	room    *room
	headers headers
	forest  link.Forest

	// Of the trace that is being put together; empty between traces.
	opts     Options
	spans    []wire.KeptSpan
	policies map[int32]string // by index of spans: the policy that a span itself names
	copies   copies
	warnings []string
	stack    []step
	nodes    []int32 // by span of the trace: its node
	numbers  []int   // by node: its span
	last     []int   // by span: the last one below it; empty until a link needs it
	missing  int     // placeholders
	trace    *trace.Trace
}

// New returns a Batch for the traces of k, which must not change but for what is added to its spans. The traces are views over
// the bytes of k, and are gone when k is Reset: their memory, Kept.Room, is used again for what k holds next.
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

// Release lets the next Batch use the memory of b, and what it knows of headers. The traces stay. Without it nothing is lost
// but that.
func (b *Batch) Release() {
	b.kept, b.room = nil, nil
	batches.Put(b)
}

// Trace puts a trace together, by its index in Kept.Traces. Spans that were left out are not looked at.
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

// reset drops what is of one trace, also where a step panicked.
func (b *Batch) reset() {
	b.forest.Reset()
	clear(b.policies)
	b.copies = copies{}
	b.spans, b.warnings, b.trace, b.stack, b.last, b.missing = nil, nil, nil, b.stack[:0], b.last[:0], 0
}

// One puts the trace of a Kept that has only one together.
func One(k *wire.Kept, opts Options) *trace.Trace { return New(k).Trace(0, opts) }

// addNodes makes a node of each span.
func (b *Batch) addNodes(kept *wire.KeptTrace) {
	b.forest.Nodes = slices.Grow(b.forest.Nodes, len(b.spans))
	for i := range b.spans {
		s := &b.spans[i]
		if s.Left {
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

// maxWarnings bounds how many sentences one trace can make.
const maxWarnings = 20

func (b *Batch) warn(format string, args ...any) {
	if len(b.warnings) < maxWarnings {
		b.warnings = append(b.warnings, fmt.Sprintf(format, args...))
	}
}
