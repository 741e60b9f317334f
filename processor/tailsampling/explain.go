package tailsampling

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
)

// ExplainConfig says how much is remembered to explain decisions.
type ExplainConfig struct {
	// Decisions is how many of the latest ones. Each takes about 120 bytes, and 16 more for every 64 policies after the
	// first. 0 remembers none.
	Decisions int `mapstructure:"decisions"`
}

// What is known of a trace.
const (
	StateDecided = "decided" // everything
	StatePending = "pending" // it waits for its decision
	StateFaded   = "faded"   // what late spans follow: verdict, policy and when
	// StateReading: nothing, until the span log was read back after a restart.
	StateReading = "reading"
)

// Explanation is what is known of the decision about a trace.
type Explanation struct {
	TraceID string `json:"trace_id"`
	State   string `json:"state"`
	Verdict string `json:"verdict,omitempty"`
	// Policy is the one that decided, the first of those that sampled the trace; empty if none did. CompositePolicy is the
	// sub-policy, if it is a composite one.
	Policy          string `json:"policy,omitempty"`
	CompositePolicy string `json:"composite_policy,omitempty"`
	// LinkedTraceID is the trace for which one is kept that policies did not sample, as far as that is remembered.
	LinkedTraceID string     `json:"linked_trace_id,omitempty"`
	PolicyVersion int        `json:"policy_version,omitempty"`
	FirstSpanAt   *time.Time `json:"first_span_at,omitempty"`
	DecidedAt     *time.Time `json:"decided_at,omitempty"`
	// Trigger is what made the decision due, as in metrics, and Reason says it in a sentence. An Early decision was taken
	// before all spans of the trace can have been there.
	Trigger string `json:"trigger,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Early   bool   `json:"early"`
	// Complete is what was there of the trace when it was decided, or is there now if it is pending.
	Complete *Completeness `json:"completeness,omitempty"`
	// Threshold is the rejection threshold and Randomness what passed it, or did not, as 14 hex digits. There is no
	// threshold where the trace was not sampled, or has no weight.
	Threshold  string `json:"threshold,omitempty"`
	Randomness string `json:"randomness,omitempty"`
	// AdjustedCount is how many traces a sampled one stands for.
	AdjustedCount float64        `json:"adjusted_count,omitempty"`
	Votes         []PolicyVote   `json:"votes,omitempty"`
	Shadow        *ShadowVerdict `json:"shadow,omitempty"`
}

// Completeness is what was there of a trace.
type Completeness struct {
	RootSeen        bool    `json:"root_seen"` // before the decision or late
	Errors          bool    `json:"errors"`
	Spans           int64   `json:"spans"`
	Bytes           int64   `json:"bytes"`
	LateSpans       int64   `json:"late_spans"`
	DurationSeconds float64 `json:"duration_seconds"`
}

// PolicyVote is what one policy said. Matched says that the trace is one that the policy is for, Acted that it also
// passed the policy's threshold: that the policy samples it, or of type drop drops it.
type PolicyVote struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Matched bool   `json:"matched"`
	Acted   bool   `json:"acted"`
}

// ShadowVerdict is what the shadow would have decided.
type ShadowVerdict struct {
	Verdict string `json:"verdict"`
	Policy  string `json:"policy,omitempty"`
}

// reasons of triggers, in a sentence.
func (t trigger) reason() string {
	return [triggers]string{
		"decision_wait was over",
		"its root was in and no span had come for decision_wait_after_root_received",
		"it had twice maximum_trace_size_bytes",
		"more than num_traces waited, and of those with the least to lose it was the oldest",
		"memory_budget or disk_budget was nearly used up, and of those with the least to lose it was the oldest",
		"the processor was shut down",
		"what came late, within revive_window, made a policy sample it",
		"a trace that is linked with it is kept",
		"whatever spans might have followed, the decision was certain (sampling_strategy span-ingest)",
	}[t]
}

// early reports whether the decision did not wait as long as it was to.
func (t trigger) early() bool { return t == bySize || t == byCount || t == byMemory || t == byShutdown }

// tell remembers a decision that is being carried out.
func (s *shard) tell(n uint32, e *entry, r *rules, d policy.Decision, why trigger, now int64) {
	if s.records.limit == 0 {
		return
	}
	rec := record{
		id: e.id, at: s.unixMilli(now), duration: (&policy.Trace{Start: e.start, End: e.end}).Duration(),
		threshold: e.threshold, randomness: tracestate.Resolve(e.id, e.rv), bytes: e.bytes,
		version: int32(r.version), policy: e.policy, spans: e.spans, waited: uint32((now - e.arrived) / 1e6),
		verdict: d.Verdict, trigger: why,
	}
	if e.state == rooted {
		rec.marks |= hadRoot
	}
	if r.set.Errors(s.rules.at(e).bits.at(n)) {
		rec.marks |= hadError
	}
	if len(s.votes) > 0 {
		rec.marks |= hadVotes
	}
	if s.compared {
		rec.marks |= hadShadow
		rec.shadowed, rec.shadow = s.shadowed.Verdict, int32(s.shadowed.Policy)
	}
	s.records.put(e.hash, &rec, s.votes, r.drops)
}

// Explain tells what is known of the decision about a trace, and false where nothing is.
func (p *Sampler) Explain(id [16]byte) (Explanation, bool) {
	out := Explanation{TraceID: hex.EncodeToString(id[:])}
	if !p.ready.Load() {
		out.State = StateReading
		return out, true
	}
	trace := wire.TraceID(id)
	hash := p.seed.hash(trace)
	s := p.shards[shardOf(hash, len(p.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	found := p.explainPending(&out, s, uint32(hash), &trace) || p.explainDecided(&out, s, uint32(hash), &trace) ||
		p.explainFaded(&out, s, uint32(hash), &trace)
	return out, found
}

func (p *Sampler) explainPending(out *Explanation, s *shard, hash uint32, id *wire.TraceID) bool {
	n := s.find(hash, id)
	if n == 0 || s.entries.At(n).state != pending && s.entries.At(n).state != rooted {
		return false
	}
	e, now := s.entries.At(n), p.now()
	g, t := s.rules.at(e), s.trace(n, e, now)
	out.State, out.PolicyVersion = StatePending, g.rules.version
	out.FirstSpanAt = unixMilli(s.unixMilli(e.arrived))
	out.Randomness = hex56(t.Randomness)
	out.Complete = &Completeness{
		RootSeen: e.state == rooted, Errors: g.rules.set.Errors(t.Bits), Spans: int64(e.spans), Bytes: int64(e.bytes),
		DurationSeconds: time.Duration(t.Duration()).Seconds(),
	}
	return true
}

func (p *Sampler) explainDecided(out *Explanation, s *shard, hash uint32, id *wire.TraceID) bool {
	i := s.records.find(hash, id)
	if i < 0 {
		return false
	}
	r := &s.records.ring[i]
	by := p.names.of(r.policy)
	out.State, out.Verdict, out.Policy, out.CompositePolicy = StateDecided, r.verdict.String(), by.policy, by.sub
	out.LinkedTraceID = s.linkedTraceID(r.policy, hash, id)
	out.PolicyVersion = int(r.version)
	out.DecidedAt, out.FirstSpanAt = unixMilli(r.at), unixMilli(r.at-int64(r.waited))
	out.Trigger, out.Reason, out.Early = r.trigger.String(), r.trigger.reason(), r.trigger.early()
	out.Randomness = hex56(r.randomness)
	if r.verdict == policy.Sampled && r.threshold != tracestate.None {
		out.Threshold, out.AdjustedCount = hex56(r.threshold), tracestate.Count(r.threshold)
	}
	out.Complete = &Completeness{
		RootSeen: r.marks&hadRoot != 0, Errors: r.marks&hadError != 0, Spans: int64(r.spans), Bytes: int64(r.bytes),
		LateSpans: int64(r.late), DurationSeconds: time.Duration(r.duration).Seconds(),
	}
	version, known := p.versions.of(int(r.version))
	if !known {
		return true
	}
	if r.marks&hadVotes != 0 {
		matched, acted := s.records.votesOf(i)
		for i, about := range version.policies {
			isSet := func(bits []uint64) bool { return bits[i/64]&(1<<(i%64)) != 0 }
			out.Votes = append(out.Votes, PolicyVote{about.Name, about.Type, isSet(matched), isSet(acted)})
		}
	}
	if r.marks&hadShadow != 0 {
		out.Shadow = &ShadowVerdict{Verdict: r.shadowed.String()}
		if r.shadow != policy.None {
			out.Shadow.Policy = version.shadow[r.shadow].Name
		}
	}
	return true
}

func (p *Sampler) explainFaded(out *Explanation, s *shard, hash uint32, id *wire.TraceID) bool {
	if n := s.find(hash, id); n != 0 && s.entries.At(n).state == revivable {
		out.State, out.Verdict = StateFaded, policy.NotSampled.String()
		out.DecidedAt = unixMilli(s.unixMilli(s.entries.At(n).touched))
		return true
	}
	r, w, sampled := s.sampled.find(hash, id)
	out.Verdict = policy.Sampled.String()
	if !sampled {
		var known bool
		if r, _, known = s.dropped.find(hash, id); !known {
			return false
		}
		if out.Verdict = policy.NotSampled.String(); r.policy != noPolicy {
			out.Verdict = policy.Dropped.String()
		}
	}
	by := p.names.of(r.policy)
	out.State, out.Policy, out.CompositePolicy = StateFaded, by.policy, by.sub
	out.DecidedAt = unixMilli(int64(r.at) * 1000)
	if sampled && w.threshold != tracestate.None {
		out.Threshold, out.AdjustedCount = hex56(w.threshold), tracestate.Count(w.threshold)
	}
	return true
}

func unixMilli(ms int64) *time.Time {
	t := time.UnixMilli(ms).UTC()
	return &t
}

func hex56(n uint64) string { return fmt.Sprintf("%014x", n) }
