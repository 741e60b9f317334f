package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// queues are the lists that follow the states of entries, each in the order in which its entries are due.
type queues struct {
	waiting   list // pending and rooted, those whose first span came first
	quiet     list // of these the rooted, longest quiet first; empty where Waits.Root is 0
	revivable list // those that were not sampled first
	gathering list // those whose first span came first

	// cursors[r]: every trace before it had a rank above r when it was looked at; 0 is the end.
	cursors [Ranks]slot
}

func newQueues() queues { return queues{quiet: index.NewList[entry](index.ByQuiet)} }

// begin puts a new trace at the end of those that wait for a decision.
func (q *queues) begin(x *entries, n slot) {
	q.waiting.PushBack(x, n)
	for r := range q.cursors {
		if q.cursors[r] == 0 {
			q.cursors[r] = n
		}
	}
}

// end takes a trace out of those that wait for a decision. inQuiet says that it is in the quiet list.
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

// first returns the entry that is due first and when, 0 and Never if there is none; of one that waits for a decision also
// what makes that due.
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
