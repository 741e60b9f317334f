package tally

import (
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
)

// Verdicts is how many verdicts there are.
const Verdicts = 3

// Stats are the counts of a shard.
type Stats struct {
	Counters
	Present
}

// Counters count events since the start.
type Counters struct {
	Traces                int64 // that began
	LateKept, LateDropped int64 // spans
	// LateErrors are the dropped late spans with an error, except those of traces that a drop policy dropped.
	LateErrors   int64
	Trimmed      int64 // spans
	IgnoredLinks int64
	Triggers     [decision.Triggers]int64
	Policies     []ByPolicy // by number in version.Names, up to the highest that decided anything
}

// Present counts the current contents. Bytes are of span bodies.
type Present struct {
	Pending, PendingBytes         int64 // traces that are not decided
	Revivable, RevivableBytes     int64 // traces that were not sampled and stay for revive_window
	Undelivered, UndeliveredBytes int64 // sampled traces, and late parts, that were not accepted yet
	Spans                         int64 // all of these
}

// ByPolicy is the amounts that a policy decided, matched, and alone sampled.
type ByPolicy struct {
	Decided        [Verdicts]Amount
	Matched, Alone Amount
}

// Add adds the counts of another one.
func (p *ByPolicy) Add(o *ByPolicy) {
	for v := range Verdicts {
		p.Decided[v].add(o.Decided[v])
	}
	p.Matched.add(o.Matched)
	p.Alone.add(o.Alone)
}

// of returns the counts for a policy's number, growing the list if needed.
func (h *Counters) of(number int32) *ByPolicy {
	for int(number) >= len(h.Policies) {
		h.Policies = append(h.Policies, ByPolicy{})
	}
	return &h.Policies[number]
}

// Decided counts a decision, and the votes unless it is a second decision about the trace: the amount that each policy
// matched, and that only it sampled.
func (h *Counters) Decided(d *decision.Decided) {
	amount := amountOf(d)
	h.of(d.Policy).Decided[d.Verdict].add(amount)
	h.Triggers[d.Trigger]++
	if d.Trigger == decision.ByRevival {
		return
	}
	voters, last, randomness := 0, 0, d.Randomness()
	for i, vote := range d.Votes {
		if !vote.Matched {
			continue
		}
		h.of(d.Version.NumberOfPolicy(i)).Matched.add(amount)
		if !d.Version.IsDrop(i) && vote.Sampled(randomness) {
			voters++
			last = i
		}
	}
	if d.ByPolicies() == policy.Sampled && voters == 1 {
		h.of(d.Version.NumberOfPolicy(last)).Alone.add(amount)
	}
}

func amountOf(d *decision.Decided) Amount {
	return Amount{Traces: 1, Spans: int64(d.Seen.Spans), Bytes: int64(d.Seen.Bytes)}
}

// Add adds the counts of another shard.
func (s *Stats) Add(o *Stats) {
	s.Traces += o.Traces
	s.LateKept += o.LateKept
	s.LateDropped += o.LateDropped
	s.LateErrors += o.LateErrors
	s.Trimmed += o.Trimmed
	s.IgnoredLinks += o.IgnoredLinks
	for i, n := range o.Triggers {
		s.Triggers[i] += n
	}
	for i := range o.Policies {
		s.of(int32(i)).Add(&o.Policies[i])
	}
	s.Pending += o.Pending
	s.PendingBytes += o.PendingBytes
	s.Revivable += o.Revivable
	s.RevivableBytes += o.RevivableBytes
	s.Undelivered += o.Undelivered
	s.UndeliveredBytes += o.UndeliveredBytes
	s.Spans += o.Spans
}

// Verdict returns the number of traces with this verdict.
func (h *Counters) Verdict(v policy.Verdict) (n int64) {
	for i := range h.Policies {
		n += h.Policies[i].Decided[v].Traces
	}
	return n
}

// Early is the number of decisions before their time, without shutdowns.
func (h *Counters) Early() int64 {
	return h.Triggers[decision.BySize] + h.Triggers[decision.ByCount] + h.Triggers[decision.ByMemory]
}
