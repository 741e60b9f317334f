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
	TraceID string
	State   string
	Verdict string
	// Policy is the one that decided, the first of those that sampled the trace; empty if none did. CompositePolicy is the
	// sub-policy, if it is a composite one.
	Policy          string
	CompositePolicy string
	// LinkedTraceID is the trace for which one is kept that policies did not sample, as far as that is remembered.
	LinkedTraceID string
	PolicyVersion int
	FirstSpanAt   *time.Time
	DecidedAt     *time.Time
	// Trigger is what made the decision due, as in metrics, and Reason says it in a sentence. An Early decision was taken
	// before all spans of the trace can have been there.
	Trigger string
	Reason  string
	Early   bool
	// Complete is what was there of the trace when it was decided, or is there now if it is pending.
	Complete *Completeness
	Weight
	Votes  []PolicyVote
	Shadow *ShadowVerdict
}

// Weight is how a trace passed, or did not, and how many it stands for.
type Weight struct {
	// Threshold is the rejection threshold and Randomness what passed it, or did not, as 14 hex digits. There is no
	// threshold where the trace was not sampled, or has no weight.
	Threshold  string
	Randomness string
	// AdjustedCount is how many traces a sampled one stands for.
	AdjustedCount float64
}

// Completeness is what was there of a trace.
type Completeness struct {
	RootSeen        bool // before the decision or late
	Errors          bool
	Spans           int64
	Bytes           int64
	LateSpans       int64
	DurationSeconds float64
}

// PolicyVote is what one policy said. Matched says that the trace is one that the policy is for, Acted that it also
// passed the policy's threshold: that the policy samples it, or of type drop drops it.
type PolicyVote struct {
	Name    string
	Type    string
	Matched bool
	Acted   bool
}

// ShadowVerdict is what the shadow would have decided.
type ShadowVerdict struct {
	Verdict string
	Policy  string
}

// Explain returns what is known about the decision on a trace, and false if nothing is.
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

// weigh sets the weight of a sampled trace, where there is one.
func (out *Weight) weigh(threshold uint64) {
	if threshold != tracestate.None {
		out.Threshold, out.AdjustedCount = hex56(threshold), tracestate.Count(threshold)
	}
}

// believed is when something happened by the clock that is believed now.
func (w *View) believed(at clock.UnixMilli) *time.Time {
	t := w.Buffer.Epoch.Believed(at)
	return &t
}

func hex56(n uint64) string { return fmt.Sprintf("%014x", n) }
