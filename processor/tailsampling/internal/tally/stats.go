package tally

import (
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
)

// Verdicts is how many verdicts there are.
const Verdicts = 3

// Stats counts in a shard.
type Stats struct {
	Happened
	Present
}

// Happened is what happened since the start.
type Happened struct {
	Traces                int64 // that began
	LateKept, LateDropped int64 // spans
	// LateErrors are, of the late spans that were dropped, those with an error of traces that no drop policy dropped.
	LateErrors   int64
	Trimmed      int64 // spans
	IgnoredLinks int64
	Triggers     [decision.Triggers]int64
	Policies     []ByPolicy // by number in version.Names, as far as anything happened
}

// Present is what is there now. Bytes are of span bodies.
type Present struct {
	Pending, PendingBytes         int64 // traces that are not decided
	Revivable, RevivableBytes     int64 // traces that were not sampled and stay for revive_window
	Undelivered, UndeliveredBytes int64 // traces, and late parts of them, that were sampled and not accepted yet
	Spans                         int64 // all of these
}

// ByPolicy is what was decided by a policy, what it matched at all, and what it alone would have sampled.
type ByPolicy struct {
	Decided        [Verdicts]Amount
	Matched, Alone Amount
}

// Add adds another's.
func (p *ByPolicy) Add(o *ByPolicy) {
	for v := range Verdicts {
		p.Decided[v].add(o.Decided[v])
	}
	p.Matched.add(o.Matched)
	p.Alone.add(o.Alone)
}

// of returns what is counted for what has this number, making room for it.
func (h *Happened) of(number int32) *ByPolicy {
	for int(number) >= len(h.Policies) {
		h.Policies = append(h.Policies, ByPolicy{})
	}
	return &h.Policies[number]
}

// Decided counts a decision, and unless it is a second one about the trace the policies' votes: all that a policy matched,
// and what it alone made be sampled.
func (h *Happened) Decided(d *decision.Decided) {
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

// Add adds another shard's.
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

// Verdict returns how many traces were decided so.
func (h *Happened) Verdict(v policy.Verdict) (n int64) {
	for i := range h.Policies {
		n += h.Policies[i].Decided[v].Traces
	}
	return n
}

// Early is how many decisions were taken before their time, shutdowns aside.
func (h *Happened) Early() int64 {
	return h.Triggers[decision.BySize] + h.Triggers[decision.ByCount] + h.Triggers[decision.ByMemory]
}
