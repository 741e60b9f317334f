package shard

import (
	"iter"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
)

// judge is the memory in which policies are asked, used again for the next trace so that a decision makes no garbage.
type judge struct {
	trace policy.Trace
	votes []policy.Vote
}

// verdict is what the policies say about a trace. votes are valid until the next.
type verdict struct {
	policy.Decision
	votes  []policy.Vote
	shadow decision.Shadow
}

// evidence is what the policies decide a trace from, valid until the next call.
func (t *traces) evidence(n slot, now clock.Monotonic) *policy.Trace {
	e := t.index.At(n)
	v := t.versions.Of(e.generation)
	t.judge.trace = policy.Trace{
		ID: e.ID, Bits: t.versions.Bits(e.generation, n)[:v.Set.Words()], Start: e.span.start, End: e.span.end,
		Spans: int(e.spans), Bytes: int(e.bytes), Randomness: tracestate.Resolve(e.ID, e.random), Now: int64(now),
	}
	if v.Skeleton && e.bytes < t.shared.TraceSize { // of a trace that is trimmed spans are missing
		chain := e.chain
		t.judge.trace.Skeleton = func() iter.Seq[policy.SpanView] { return t.spansOf(chain) }
	}
	return &t.judge.trace
}

// spansOf yields the spans of a trace out of the log. What cannot be read is left out: the policies notice that spans are
// missing and match nothing, and should the trace be kept the emitter meets the same error and tells it.
func (t *traces) spansOf(chain spanlog.Chain) iter.Seq[policy.SpanView] {
	return func(yield func(policy.SpanView) bool) {
		var fault error
		if t.shared.Mapped {
			defer spanlog.Guard(&fault)()
		}
		var span wire.Span
		for r, err := range t.log.Records(chain, nil) {
			if err != nil {
				continue
			}
			if span, err = wire.ParseSpan(r.Body); err != nil {
				continue
			}
			view := policy.SpanView{Span: &span, Bytes: r.Body, Body: r.Body, Resource: r.Resource, Scope: r.Scope}
			if !yield(view) {
				return
			}
		}
	}
}

// ask has the policies, and their shadow, decide about a pending trace.
func (t *traces) ask(n slot, now clock.Monotonic) (v verdict) {
	e := t.index.At(n)
	version, trace := t.versions.Of(e.generation), t.evidence(n, now)
	t.judge.votes = intake.Resize(t.judge.votes, version.Set.Len())
	v.votes = t.judge.votes
	v.Decision = version.Set.Decide(trace, v.votes)
	if version.Shadow != nil {
		trace.Bits = t.versions.Bits(e.generation, n)[version.Set.Words():]
		v.shadow = decision.Shadow{Compared: true, Decision: version.Shadow.Decide(trace, nil)}
	}
	return v
}

// askAgain has the policies decide about a trace that they did not sample, with what came since.
func (t *traces) askAgain(n slot, now clock.Monotonic) (v verdict) {
	set := t.versions.Of(t.index.At(n).generation).Set
	t.judge.votes = intake.Resize(t.judge.votes, set.Len())
	v.votes = t.judge.votes
	v.Decision = set.Revise(t.evidence(n, now), v.votes)
	return v
}

// Rank says how much is lost with a trace; under pressure those of the lowest rank are decided first.
type Rank uint8

const (
	Boring      Rank = iota // kept by chance at most
	Interesting             // a policy wants it
	Failed                  // has a span with an error
	Ranks
)

// rankOf is the rank of a pending trace.
func (t *traces) rankOf(n slot, now clock.Monotonic) Rank {
	set, trace := t.versions.Of(t.index.At(n).generation).Set, t.evidence(n, now)
	switch {
	case set.Errors(trace.Bits):
		return Failed
	case set.Certain(trace):
		return Interesting
	default:
		return Boring
	}
}
