package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// queues are the lists by state, each in the order in which its entries fall due.
type queues struct {
	waiting   list // pending and rooted, by first span
	quiet     list // the rooted of these, longest quiet first; empty if Waits.Root is 0
	revivable list // by decision
	gathering list // by first span

	// cursors[r]: every trace before it had a rank above r at the last look; 0 is the end.
	cursors [Ranks]slot
}

func newQueues() queues { return queues{quiet: index.NewList[entry](index.ByQuiet)} }

// begin appends a new trace to the undecided ones.
func (q *queues) begin(x *entries, n slot) {
	q.waiting.PushBack(x, n)
	for r := range q.cursors {
		if q.cursors[r] == 0 {
			q.cursors[r] = n
		}
	}
}

// end removes a trace from the undecided ones. inQuiet says that it is in the quiet list.
func (q *queues) end(x *entries, n slot, inQuiet bool) {
	for r := range q.cursors {
		if q.cursors[r] == n {
			q.cursors[r] = q.waiting.Next(x, n)
		}
	}
	q.waiting.Remove(x, n)
	if inQuiet {
		q.quiet.Remove(x, n)
	}
}

// first returns the entry that falls due first, when, and for an undecided trace the trigger; 0 and Never if there is
// none.
func (q *queues) first(x *entries, w *Waits) (n slot, at clock.Monotonic, trigger decision.Trigger) {
	at = Never
	if h := q.waiting.Head(); h != 0 {
		n, at, trigger = h, x.At(h).arrived.Add(w.Decision), decision.ByWait
	}
	if h := q.quiet.Head(); h != 0 {
		if due := x.At(h).quietSince.Add(w.Root); due < at {
			n, at, trigger = h, due, decision.ByRoot
		}
	}
	if h := q.gathering.Head(); h != 0 {
		if due := x.At(h).arrived.Add(lateWait); due < at {
			n, at = h, due
		}
	}
	if h := q.revivable.Head(); h != 0 {
		if due := x.At(h).decidedAt.Add(w.Revive); due < at {
			n, at = h, due
		}
	}
	return n, at, trigger
}
