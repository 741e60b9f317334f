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
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// judge asks the policies about the traces of a shard. The memory in which it does is used again for the next trace, so
// that a decision makes no garbage.
type judge struct {
	shared   *Shared
	log      Log
	index    *entries
	versions *version.InUse

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
func (j *judge) evidence(n slot, now clock.Monotonic) *policy.Trace {
	e := j.index.At(n)
	v := j.versions.Of(e.generation)
	j.trace = policy.Trace{
		ID: e.ID, Bits: j.versions.Bits(e.generation, n)[:v.Set.Words()], Start: e.span.start, End: e.span.end,
		Spans: int(e.spans), Bytes: int(e.bytes), Randomness: tracestate.Resolve(e.ID, e.random), Now: int64(now),
	}
	if v.Skeleton && e.bytes < j.shared.TraceSize { // of a trace that is trimmed spans are missing
		chain := e.chain
		j.trace.Skeleton = func() iter.Seq[policy.SpanView] { return j.spansOf(chain) }
	}
	return &j.trace
}

// spansOf yields the spans of a trace out of the log. What cannot be read is left out: the policies notice that spans are
// missing and match nothing, and should the trace be kept the emitter meets the same error and tells it.
func (j *judge) spansOf(chain spanlog.Chain) iter.Seq[policy.SpanView] {
	return func(yield func(policy.SpanView) bool) {
		var fault error
		if j.shared.Mapped {
			defer spanlog.Guard(&fault)()
		}
		var span wire.Span
		for r, err := range j.log.Records(chain, nil) {
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
func (j *judge) ask(n slot, now clock.Monotonic) (v verdict) {
	e := j.index.At(n)
	policies, trace := j.versions.Of(e.generation), j.evidence(n, now)
	j.votes = intake.Resize(j.votes, policies.Set.Len())
	v.votes = j.votes
	v.Decision = policies.Set.Decide(trace, v.votes)
	if policies.Shadow != nil {
		trace.Bits = j.versions.Bits(e.generation, n)[policies.Set.Words():]
		v.shadow = decision.Shadow{Compared: true, Decision: policies.Shadow.Decide(trace, nil)}
	}
	return v
}

// askAgain has the policies decide about a trace that they did not sample, with what came since.
func (j *judge) askAgain(n slot, now clock.Monotonic) (v verdict) {
	set := j.versions.Of(j.index.At(n).generation).Set
	j.votes = intake.Resize(j.votes, set.Len())
	v.votes = j.votes
	v.Decision = set.Revise(j.evidence(n, now), v.votes)
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
func (j *judge) rankOf(n slot, now clock.Monotonic) Rank {
	set, trace := j.versions.Of(j.index.At(n).generation).Set, j.evidence(n, now)
	switch {
	case set.Errors(trace.Bits):
		return Failed
	case set.Certain(trace):
		return Interesting
	default:
		return Boring
	}
}
