package tailsampling

import (
	"time"

	"github.com/slowburn/slowburn/processor/policy"
)

// stats counts in a shard, under its mutex, so that nothing is recorded per span. Metrics and Status add them up.
type stats struct {
	// Since the beginning.
	traces                int64 // that began
	lateKept, lateDropped int64 // spans
	trimmed               int64 // spans
	ignoredLinks          int64
	triggers              [triggers]int64
	policies              []policyStats // by number in names, as far as anything happened

	// Now.
	pending, pendingBytes         int64 // not decided: traces, bytes of span bodies
	revivable, revivableBytes     int64 // not sampled, and there still
	undelivered, undeliveredBytes int64 // sampled and not accepted yet
	spans                         int64 // all of these
}

// policyStats is what was decided by a policy, what it matched at all, and what it alone would have sampled.
type policyStats struct {
	decided        [verdicts]amount
	matched, alone amount
}

func (p *policyStats) add(o *policyStats) {
	for v := range verdicts {
		p.decided[v].add(&o.decided[v])
	}
	p.matched.add(&o.matched)
	p.alone.add(&o.alone)
}

const verdicts = 3

// of returns what is counted for what has this number, making room for it.
func (s *stats) of(number int32) *policyStats {
	for int(number) >= len(s.policies) {
		s.policies = append(s.policies, policyStats{})
	}
	return &s.policies[number]
}

// decided counts a decision.
func (s *stats) decided(v policy.Verdict, why trigger, e *entry) {
	s.of(e.policy).decided[v].addTrace(e)
	s.triggers[why]++
}

// add adds another shard's.
func (s *stats) add(o *stats) {
	s.traces += o.traces
	s.lateKept += o.lateKept
	s.lateDropped += o.lateDropped
	s.trimmed += o.trimmed
	s.ignoredLinks += o.ignoredLinks
	for i, n := range o.triggers {
		s.triggers[i] += n
	}
	for i := range o.policies {
		s.of(int32(i)).add(&o.policies[i])
	}
	s.pending += o.pending
	s.pendingBytes += o.pendingBytes
	s.revivable += o.revivable
	s.revivableBytes += o.revivableBytes
	s.undelivered += o.undelivered
	s.undeliveredBytes += o.undeliveredBytes
	s.spans += o.spans
}

// verdict returns how many traces were decided so.
func (s *stats) verdict(v policy.Verdict) (n int64) {
	for i := range s.policies {
		n += s.policies[i].decided[v].traces
	}
	return n
}

// early is how many decisions were taken before their time.
func (s *stats) early() int64 { return s.triggers[bySize] + s.triggers[byCount] + s.triggers[byMemory] }

// ages are durations in seconds that wait to be recorded, outside of the lock. What is more than that is not.
type ages struct{ removed, late []int64 }

const maxAges = 4096

func (a *ages) addRemoved(now, arrived int64) {
	if len(a.removed) < maxAges {
		a.removed = append(a.removed, (now-arrived)/int64(time.Second))
	}
}

// addLate is told how long ago the decision was, in seconds.
func (a *ages) addLate(age int64) {
	if len(a.late) < maxAges {
		a.late = append(a.late, age)
	}
}

func (a *ages) reset() { a.removed, a.late = a.removed[:0], a.late[:0] }
