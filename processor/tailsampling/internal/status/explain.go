package status

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// Values of Explanation.State.
const (
	StateDecided = "decided" // all fields are known
	StatePending = "pending" // the trace waits for its decision
	StateFaded   = "faded"   // only verdict, policy and time are known, as late spans need them
	// StateReading: nothing is known until the span log has been read back after a restart.
	StateReading = "reading"
)

// Explanation explains the decision about a trace.
type Explanation struct {
	TraceID string
	State   string
	Verdict string
	// Policy is the deciding policy, the first of those that sampled the trace; empty if none did. CompositePolicy is its
	// sub-policy if it is composite.
	Policy          string
	CompositePolicy string
	// LinkedTraceID is the linked trace for which this one is kept, if that is remembered.
	LinkedTraceID string
	PolicyVersion int
	FirstSpanAt   *time.Time
	DecidedAt     *time.Time
	// Trigger is the decision's trigger as in metrics, and Reason the same as a sentence. An Early decision was made
	// before all spans of the trace could have come.
	Trigger string
	Reason  string
	Early   bool
	// Complete describes the trace at the decision, or now if it is pending.
	Complete *Completeness
	Weight
	Votes  []PolicyVote
	Shadow *ShadowVerdict
}

// Weight is the threshold of a trace, its randomness, and its adjusted count.
type Weight struct {
	// Threshold is the rejection threshold and Randomness the value compared with it, as 14 hex digits. Threshold
	// is empty for a trace that was not sampled or has no weight.
	Threshold  string
	Randomness string
	// AdjustedCount is the number of traces that a sampled one stands for.
	AdjustedCount float64
}

// Completeness says how much of a trace had arrived.
type Completeness struct {
	RootSeen        bool // before the decision or late
	Errors          bool
	Spans           int64
	Bytes           int64
	LateSpans       int64
	DurationSeconds float64
}

// PolicyVote is the vote of one policy. Matched reports whether the policy is for this trace, Acted whether it also
// passed the policy's threshold, so that the policy samples it, or with type drop drops it.
type PolicyVote struct {
	Name    string
	Type    string
	Matched bool
	Acted   bool
}

// ShadowVerdict is the verdict of the shadow's policies.
type ShadowVerdict struct {
	Verdict string
	Policy  string
}

// Explain explains the decision about a trace. It returns false for an unknown trace.
func (w *View) Explain(id wire.TraceID, now clock.Monotonic) (Explanation, bool) {
	out := Explanation{TraceID: hex.EncodeToString(id[:])}
	if !w.Buffer.Ready() {
		out.State = StateReading
		return out, true
	}
	m, hash := w.Buffer.Of(id)
	m.Lock()
	defer m.Unlock()
	if p, ok := m.Known().Pending(hash, &id, now); ok {
		w.explainPending(&out, &p)
		return out, true
	}
	return out, w.explainDecided(&out, m.Known(), hash, &id) || w.explainFaded(&out, m.Known(), hash, &id)
}

func (w *View) explainPending(out *Explanation, p *shard.Pending) {
	out.State, out.PolicyVersion = StatePending, p.Version.Number
	out.FirstSpanAt = w.believed(p.First)
	out.Randomness = hex56(p.Randomness)
	out.Complete = &Completeness{
		RootSeen: p.Root, Errors: p.Error, Spans: p.Spans, Bytes: p.Bytes,
		DurationSeconds: p.Duration.Seconds(),
	}
}

func (w *View) explainDecided(out *Explanation, s shard.Known, hash uint32, id *wire.TraceID) bool {
	r, matched, acted := s.Record(hash, id)
	if r == nil {
		return false
	}
	name := w.Versions.Names.Of(r.Policy)
	out.State, out.Verdict, out.Policy, out.CompositePolicy = StateDecided, r.Verdict.String(), name.Policy, name.Sub
	if other, linked := s.LinkedTo(hash, id); linked && r.Policy == w.Buffer.LinkedNumber {
		out.LinkedTraceID = other.String()
	}
	out.PolicyVersion = int(r.Version)
	out.DecidedAt, out.FirstSpanAt = w.believed(r.At), w.believed(r.At-clock.UnixMilli(r.Waited))
	out.Trigger, out.Reason, out.Early = r.Trigger.String(), r.Trigger.Reason(), r.Trigger.Early()
	out.Randomness = hex56(r.Randomness)
	if r.Verdict == policy.Sampled {
		out.weigh(r.Threshold)
	}
	out.Complete = &Completeness{
		RootSeen: r.HadRoot(), Errors: r.HadError(), Spans: int64(r.Spans), Bytes: int64(r.Bytes),
		LateSpans: int64(r.Late), DurationSeconds: r.Duration.Seconds(),
	}
	version, known := w.Versions.History.Of(int(r.Version))
	if !known {
		return true
	}
	if r.HadVotes() {
		for i, about := range version.Policies {
			isSet := func(bits []uint64) bool { return bits[i/64]&(1<<(i%64)) != 0 }
			out.Votes = append(out.Votes, PolicyVote{about.Name, about.Type, isSet(matched), isSet(acted)})
		}
	}
	if r.HadShadow() {
		out.Shadow = &ShadowVerdict{Verdict: r.ShadowVerdict.String()}
		if r.ShadowPolicy != policy.None {
			out.Shadow.Policy = version.Shadow[r.ShadowPolicy].Name
		}
	}
	return true
}

func (w *View) explainFaded(out *Explanation, s shard.Known, hash uint32, id *wire.TraceID) bool {
	f, ok := s.Faded(hash, id)
	if !ok {
		return false
	}
	name := w.Versions.Names.Of(f.Policy)
	out.State, out.Verdict, out.Policy, out.CompositePolicy = StateFaded, f.Verdict.String(), name.Policy, name.Sub
	out.DecidedAt = w.believed(f.At)
	if f.Verdict == policy.Sampled {
		out.weigh(f.Threshold)
	}
	return true
}

// weigh sets the weight of a sampled trace, if it has one.
func (out *Weight) weigh(threshold uint64) {
	if threshold != tracestate.None {
		out.Threshold, out.AdjustedCount = hex56(threshold), tracestate.Count(threshold)
	}
}

// believed converts a wall time to the clock that is believed now.
func (w *View) believed(at clock.UnixMilli) *time.Time {
	t := w.Buffer.Epoch.Believed(at)
	return &t
}

func hex56(n uint64) string { return fmt.Sprintf("%014x", n) }
