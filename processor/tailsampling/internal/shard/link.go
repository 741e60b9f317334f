package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// forLink is the decision to keep a trace for a link. Its number is no policy's.
var forLink = policy.Decision{Verdict: policy.Sampled, Policy: policy.None - 1, Sub: policy.None, Weightless: true}

// forObjective is the decision to keep a trace as an exemplar of an objective. Its number is no policy's.
var forObjective = policy.Decision{Verdict: policy.Sampled, Policy: policy.None - 2, Sub: policy.None, Weightless: true}

// Mark makes a trace that is here be kept, unless a policy drops it. A trace that was decided stays as it is, but if it can still be
// revived it is.
func (s *Shard) Mark(hash uint32, id *wire.TraceID, now clock.Monotonic) {
	n := s.index.Find(hash, id)
	if n == 0 {
		return
	}
	switch e := s.index.At(n); {
	case e.undecided():
		if s.marks.Add(n) {
			s.notes.marked(e, now)
		}
	case e.state == stateRevivable:
		s.revive(n, verdict{Decision: forObjective}, decision.ByObjective, now)
	}
}

// Fate returns what became of a trace.
func (s Known) Fate(hash uint32, id *wire.TraceID) exemplars.Fate {
	if n := s.index.Find(hash, id); n != 0 && s.index.At(n).undecided() {
		return exemplars.Undecided
	}
	if _, _, sampled := s.memory.Sampled(hash, id); sampled {
		return exemplars.Kept
	}
	return exemplars.Gone
}

// exception returns the number of the name under which a trace is kept that no policy sampled, and false for any other decision.
func (l *links) exception(d policy.Decision) (number int32, ok bool) {
	switch d.Policy {
	case forLink.Policy:
		return l.number, true
	case forObjective.Policy:
		return l.objective, true
	default:
		return 0, false
	}
}

// links holds the links of a shard's traces, and the messages about them.
type links struct {
	ties     *linked.Ties // nil without linked_traces
	keptFor  map[slot]wire.TraceID
	messages []linked.Message // to be delivered when the shard is unlocked
	perSpan  int
	number   int32 // the number of linked.PolicyName
	// objective is the number of exemplars.PolicyName.
	objective int32
	stats     *tally.Stats
}

func newLinks(shared *Shared, stats *tally.Stats) links {
	l := links{perSpan: shared.LinksPerSpan, number: shared.LinkedNumber, objective: shared.ObjectiveNumber, stats: stats}
	if shared.Limits.Ties > 0 {
		l.ties = linked.NewTies(shared.Limits.Ties, shared.Limits.TiesPerTrace)
		l.keptFor = map[slot]wire.TraceID{}
	}
	return l
}

// size is the memory that the links take.
func (l *links) size() int {
	const perKept = 48 // bytes of a map entry
	return l.ties.Bytes() + perKept*len(l.keptFor)
}

// add adds a tie if there is room, and reports whether it is new.
func (l *links) add(t linked.Tie) bool {
	added, room := l.ties.Add(t)
	if !room {
		l.stats.IgnoredLinks++
	}
	return added
}

// observe reads the links of a span that was added to an entry.
func (l *links) observe(e *entry, body []byte) {
	n := 0
	for other := range wire.Links(body) {
		if n++; n > l.perSpan {
			l.stats.IgnoredLinks++
			return
		}
		switch {
		case other == e.ID:
		case e.state != stateGathering:
			if l.add(linked.Tie{Trace: e.ID, Other: other, Hash: e.Hash}) {
				l.messages = append(l.messages, linked.Message{Trace: other, Other: e.ID})
			}
		case l.byPolicies(e.policy):
			l.messages = append(l.messages, linked.Message{Trace: other, Other: e.ID, Wanted: true})
		}
	}
}

// byPolicies reports whether a kept trace with this number of a name was sampled by the policies.
func (l *links) byPolicies(number int32) bool { return number != l.number && number != l.objective }

// wanted reports whether a trace must be kept for a link.
func (l *links) wanted(e *entry) bool {
	if l.ties == nil {
		return false
	}
	_, found := l.ties.Wanted(e.Hash, &e.ID)
	return found
}

// decided follows up a decision. For a trace that its policies keep it sends a message to each linked trace; for one that is
// kept for a link it remembers the other trace.
func (l *links) decided(n slot, d *decision.Decided) {
	switch {
	case l.ties == nil || d.Verdict != policy.Sampled:
	case d.Marked:
	case d.Linked:
		l.keptFor[n], _ = l.ties.Wanted(d.Hash, &d.ID)
	default:
		l.messages = l.ties.AppendWanted(l.messages, d.Hash, &d.ID)
	}
}

// Receive applies a message about a trace with this hash. It leads to one more message at most, and that one to none.
func (s *Shard) Receive(m linked.Message, hash uint32, now clock.Monotonic) {
	n := s.index.Find(hash, &m.Trace)
	here := n != 0 && s.index.At(n).state != stateGathering
	if !here {
		if d, _, sampled := s.memory.Sampled(hash, &m.Trace); sampled {
			if !m.Wanted && s.links.byPolicies(d.Policy) {
				s.links.messages = append(s.links.messages, linked.Message{Trace: m.Other, Other: m.Trace, Wanted: true})
			}
			return
		}
		if _, notKept := s.memory.NotKept(hash, &m.Trace); notKept {
			return
		}
	}
	s.links.add(linked.Tie{Trace: m.Trace, Other: m.Other, Hash: hash, Wanted: m.Wanted})
	if here && m.Wanted && s.index.At(n).state == stateRevivable {
		s.revive(n, verdict{Decision: forLink}, decision.ByLink, now)
	}
}
