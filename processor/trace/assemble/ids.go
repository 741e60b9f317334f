package assemble

import (
	"iter"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/trace"
)

// ids finds spans by their IDs. Spans without one are not in it.
type ids struct {
	first map[pcommon.SpanID]int // first span of each ID
	next  []int                  // by span: the next one with the same ID; -1 ends the chain
}

func indexIDs(spans []trace.Span) ids {
	x := ids{first: make(map[pcommon.SpanID]int, len(spans)), next: make([]int, len(spans))}
	for i := len(spans) - 1; i >= 0; i-- { // backwards, so that the chains are in canonical order
		x.next[i] = -1
		id := spans[i].ID
		if id.IsEmpty() {
			continue
		}
		if next, ok := x.first[id]; ok {
			x.next[i] = next
		}
		x.first[id] = i
	}
	return x
}

// maxTwins bounds how many spans with one ID are looked at. A call has two ends, so more than a few come from a broken
// generator of IDs, and must not make the search quadratic.
const maxTwins = 32

// with yields the spans with the ID, in canonical order.
func (x *ids) with(id pcommon.SpanID) iter.Seq[int] {
	return func(yield func(int) bool) {
		j, ok := x.first[id]
		for n := 0; ok && j >= 0 && n < maxTwins; n++ {
			if !yield(j) {
				return
			}
			j = x.next[j]
		}
	}
}
