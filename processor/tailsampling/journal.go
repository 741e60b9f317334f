package tailsampling

import (
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// note writes into the journal what happened to an entry.
func (s *shard) note(kind spanlog.EventKind, e *entry, v policy.Verdict, why trigger, now int64) {
	if s.journal == nil {
		return
	}
	s.put(kind, e, v, why, now)
	if s.journal.Full() {
		s.journal.Trim(s.log, s.keep, func(highest uint64) { s.noteAgain(highest, now) })
	}
}

func (s *shard) put(kind spanlog.EventKind, e *entry, v policy.Verdict, why trigger, now int64) {
	s.journal.Put(&spanlog.Event{
		Kind: kind, Verdict: uint8(v), Trigger: uint8(why), Late: e.state == late,
		Policy: int(e.policy), TraceID: e.id, From: e.from, To: e.to,
		At: s.unix(now), Threshold: e.threshold, Random: e.rv,
	}, s.unixMilli(now))
}

// attempt notes that the next component is about to get an entry, so that after a crash it is known which traces it may
// get twice.
func (s *shard) attempt(e *entry, now int64) {
	if s.journal != nil && !e.attempted {
		e.attempted = true
		s.note(spanlog.Attempted, e, policy.Sampled, byWait, now)
	}
}

// noteAgain writes the decisions about what is still there into the journal once more, if they are in a file that
// is about to be deleted.
func (s *shard) noteAgain(highest uint64, now int64) {
	for n := uint32(1); n <= s.entries.Max(); n++ {
		e := s.entries.At(n)
		// A late part is decided when it is queued, which is when to is set.
		if e.state == revivable && e.to.Sequence() <= highest {
			s.put(spanlog.Decided, e, policy.NotSampled, byWait, now)
		}
		if (e.state == ready || e.state == late && e.to != 0) && e.to.Sequence() <= highest {
			s.put(spanlog.Decided, e, policy.Sampled, byWait, now)
			if e.attempted {
				s.put(spanlog.Attempted, e, policy.Sampled, byWait, now)
			}
		}
	}
}
