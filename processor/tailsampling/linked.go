package tailsampling

import (
	"encoding/binary"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
)

// A trace that is linked with one that its own policies keep is kept too, whichever of them has the link, and whichever is
// decided first, as long as its bytes are there. Each shard remembers of its traces which they are linked with (links).
// What another shard has to know is a notice: it is written down while a shard is locked, and told when it is not.
//
// Only what is kept for its own sake makes others be kept. What is kept for a link alone has no weight, as neither what it
// is nor its randomness chose it.

// linkedPolicy is the name under which traces are kept for a link alone. No policy may have it.
const linkedPolicy = "linked_traces"

// forLink is the number of linkedPolicy in a Decision.
const forLink = policy.None - 1

// notice tells the shard of a trace that another trace is linked with it.
type notice struct {
	trace, other wire.TraceID
	wanted       bool // the other is kept for its own sake, so that this one is to be kept too
}

// tie looks at the links of a span that was added to an entry.
func (s *shard) tie(e *entry, body []byte) {
	n := 0
	for other := range wire.Links(body) {
		if n++; n > s.linksPerSpan {
			s.stats.ignoredLinks++
			return
		}
		switch {
		case other == e.id:
		case e.state != late:
			added, room := s.links.add(tie{trace: e.id, other: other, hash: e.hash})
			if !room {
				s.stats.ignoredLinks++
			} else if added {
				s.notices = append(s.notices, notice{trace: other, other: e.id})
			}
		case e.policy != s.linkedNumber:
			s.notices = append(s.notices, notice{trace: other, other: e.id, wanted: true})
		}
	}
}

// hear takes a notice into account.
func (s *shard) hear(told notice, hash uint32, now int64) {
	n := s.find(hash, &told.trace)
	here := n != 0 && s.entries.At(n).state != late
	if !here {
		if d, _, kept := s.sampled.find(hash, &told.trace); kept {
			if !told.wanted && d.policy != s.linkedNumber {
				s.notices = append(s.notices, notice{trace: told.other, other: told.trace, wanted: true})
			}
			return
		}
		if _, _, gone := s.dropped.find(hash, &told.trace); gone {
			return
		}
	}
	if _, room := s.links.add(tie{trace: told.trace, other: told.other, hash: hash, wanted: told.wanted}); !room {
		s.stats.ignoredLinks++
	}
	if !here || !told.wanted {
		return
	}
	if e := s.entries.At(n); e.state == revivable {
		s.revive(n, decisionForLink, byLink, now)
	}
}

// wants reports whether a trace is to be kept for a link.
func (s *shard) wants(e *entry) bool {
	if s.links == nil {
		return false
	}
	_, found := s.links.wanted(e.hash, &e.id)
	return found
}

// decisionForLink is the decision about a trace that is to be kept for a link.
var decisionForLink = policy.Decision{Verdict: policy.Sampled, Policy: forLink, Sub: policy.None, Weightless: true}

// number is that of the name of what made a decision.
func (s *shard) number(r *rules, d policy.Decision) int32 {
	if d.Policy == forLink {
		return s.linkedNumber
	}
	return r.number(d)
}

// blame remembers the trace for which a decided one is kept, in place of when it began and ended.
func (s *shard) blame(e *entry) {
	other, _ := s.links.wanted(e.hash, &e.id)
	e.start, e.end = binary.BigEndian.Uint64(other[:8]), binary.BigEndian.Uint64(other[8:])
}

// linkedWith is the trace for which a decided one is kept, zero if that is not known or not the reason.
func (s *shard) linkedWith(e *entry) (other wire.TraceID) {
	if s.links != nil && e.policy == s.linkedNumber && e.state == ready {
		binary.BigEndian.PutUint64(other[:8], e.start)
		binary.BigEndian.PutUint64(other[8:], e.end)
	}
	return other
}

// linkedTraceID is the trace for which another one is kept, if that is the reason and remembered.
func (s *shard) linkedTraceID(policy int32, hash uint32, id *wire.TraceID) string {
	if s.links == nil || policy != s.linkedNumber {
		return ""
	}
	other, found := s.links.wanted(hash, id)
	if !found {
		return ""
	}
	return other.String()
}

// spread tells of a trace that is kept for its own sake.
func (s *shard) spread(e *entry) {
	for i := range s.links.of(e.hash, &e.id) {
		s.notices = append(s.notices, notice{trace: s.links.ring[i].other, other: e.id, wanted: true})
	}
}

// pass passes notices on. The caller has no shard's mutex. Each leads to at most one more, and that to none.
func (p *Sampler) pass(notices []notice) {
	for _, told := range notices {
		hash := p.seed.hash(told.trace)
		s := p.shards[shardOf(hash, len(p.shards))]
		now := p.now()
		s.mu.Lock()
		s.hear(told, uint32(hash), now)
		p.unlock(s)
	}
}
