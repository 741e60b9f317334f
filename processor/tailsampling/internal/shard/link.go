package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/linked"
)

// forLink is the decision about a trace that is to be kept for a link. No policy has its number.
var forLink = policy.Decision{Verdict: policy.Sampled, Policy: policy.None - 1, Sub: policy.None, Weightless: true}

// tie looks at the links of a span that was added to an entry.
func (t *traces) tie(e *entry, body []byte) {
	n := 0
	for other := range wire.Links(body) {
		if n++; n > t.shared.LinksPerSpan {
			t.stats.IgnoredLinks++
			return
		}
		switch {
		case other == e.ID:
		case e.state != stateGathering:
			added, room := t.ties.Add(linked.Tie{Trace: e.ID, Other: other, Hash: e.Hash})
			if !room {
				t.stats.IgnoredLinks++
			} else if added {
				t.messages = append(t.messages, linked.Message{Trace: other, Other: e.ID})
			}
		case e.policy != t.shared.LinkedNumber:
			t.messages = append(t.messages, linked.Message{Trace: other, Other: e.ID, Wanted: true})
		}
	}
}

// wanted reports whether a trace is to be kept for a link.
func (t *traces) wanted(e *entry) bool {
	if t.ties == nil {
		return false
	}
	_, found := t.ties.Wanted(e.Hash, &e.ID)
	return found
}

// link takes account of a decision: of a trace that is kept for its own sake it tells those that are linked with it, of
// one that is kept for a link it remembers for which.
func (t *traces) link(n slot, d *decision.Decided) {
	switch {
	case t.ties == nil || d.Verdict != policy.Sampled:
	case d.Linked:
		t.linkedTo[n], _ = t.ties.Wanted(d.Hash, &d.ID)
	default:
		t.messages = t.ties.AppendWanted(t.messages, d.Hash, &d.ID)
	}
}

// Receive takes a message into account, about a trace with this hash. It leads to at most one more, and that to none.
func (s *Shard) Receive(m linked.Message, hash uint32, now clock.Monotonic) {
	n := s.index.Find(hash, &m.Trace)
	here := n != 0 && s.index.At(n).state != stateGathering
	if !here {
		if d, _, sampled := s.memory.Sampled(hash, &m.Trace); sampled {
			if !m.Wanted && d.Policy != s.shared.LinkedNumber {
				s.messages = append(s.messages, linked.Message{Trace: m.Other, Other: m.Trace, Wanted: true})
			}
			return
		}
		if _, dropped := s.memory.Dropped(hash, &m.Trace); dropped {
			return
		}
	}
	if _, room := s.ties.Add(linked.Tie{Trace: m.Trace, Other: m.Other, Hash: hash, Wanted: m.Wanted}); !room {
		s.stats.IgnoredLinks++
	}
	if here && m.Wanted && s.index.At(n).state == stateRevivable {
		s.revive(n, verdict{Decision: forLink}, decision.ByLink, now)
	}
}
