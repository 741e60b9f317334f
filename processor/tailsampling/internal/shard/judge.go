package shard

import (
	"iter"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/policy/facts"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
)

// judge asks the policies about the traces of a shard. Its memory is reused for the next trace, so that a decision
// allocates nothing.
type judge struct {
	shared   *Shared
	log      Log
	index    *entries
	versions *version.InUse

	trace policy.Trace
	votes []policy.Vote
	spans spanReader // of trace
}

func newJudge(shared *Shared, l Log, x *entries, versions *version.InUse) judge {
	return judge{shared: shared, log: l, index: x, versions: versions, spans: newSpanReader(l, shared.Mapped)}
}

// verdict is the policies' verdict on a trace. votes are valid until the next one.
type verdict struct {
	policy.Decision
	votes  []policy.Vote
	shadow decision.Shadow
}

// evidence returns the facts that policies decide a trace from, valid until the next call.
func (j *judge) evidence(n slot, now clock.Monotonic) *policy.Trace {
	e := j.index.At(n)
	v := j.versions.Of(e.generation)
	j.trace = policy.Trace{
		ID: e.ID, Bits: j.versions.Bits(e.generation, n)[:v.Set.Words()], Start: e.span.start, End: e.span.end,
		Spans: int(e.spans), Bytes: int(e.bytes), Randomness: tracestate.Resolve(e.ID, e.random), Now: int64(now),
	}
	if v.Skeleton && e.bytes < j.shared.TraceSize { // a trimmed trace lacks spans
		j.trace.Skeleton, j.trace.Facts = j.spans.of(e.chain)
	}
	return &j.trace
}

// ask asks the policies, and their shadow, about a pending trace.
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

// askAgain asks the policies once more about a trace that they did not sample, with its late spans.
func (j *judge) askAgain(n slot, now clock.Monotonic) (v verdict) {
	set := j.versions.Of(j.index.At(n).generation).Set
	j.votes = intake.Resize(j.votes, set.Len())
	v.votes = j.votes
	v.Decision = set.Revise(j.evidence(n, now), v.votes)
	return v
}

// Rank orders traces by how much is lost with them: under pressure the lowest rank is decided first.
type Rank uint8

// The ranks, lowest first.
const (
	Boring      Rank = iota // no policy is certain to sample it
	Interesting             // a policy is certain to sample it
	Failed                  // has a span with an error
	Ranks                   // how many there are
)

// rankOf returns the rank of a pending trace.
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

// spanReader reads the facts of a trace's spans, or the spans, out of the log, for policies that look at the tree. Its callbacks are made
// once and kept in fields, as closures for each decision would allocate.
type spanReader struct{ *spanWalk }

// spanWalk iterates over the spans of a trace.
type spanWalk struct {
	log    Log
	mapped bool
	chain  spanlog.Chain
	span   wire.Span
	yield  func(policy.SpanView) bool       // set while it runs
	record func(spanlog.Record, error) bool // the method next
	read   func() iter.Seq[policy.SpanView] // starts an iteration

	into  *skeleton.Skeleton                     // set while facts are read
	fact  func(*spanlog.Fact, *spanlog.Identity) // the method addFact
	facts func(*skeleton.Skeleton) bool          // the method readFacts
}

func newSpanReader(l Log, mapped bool) spanReader {
	w := &spanWalk{log: l, mapped: mapped}
	all := iter.Seq[policy.SpanView](w.run)
	w.record, w.read = w.next, func() iter.Seq[policy.SpanView] { return all }
	w.fact, w.facts = w.addFact, w.readFacts
	return spanReader{w}
}

// of returns a function that iterates over the spans of a trace, and one that reads their facts, valid until the next call.
func (r spanReader) of(chain spanlog.Chain) (func() iter.Seq[policy.SpanView], func(*skeleton.Skeleton) bool) {
	r.chain = chain
	return r.read, r.facts
}

// readFacts appends the facts of the trace's spans to a skeleton, and reports whether it read all that there are.
func (w *spanWalk) readFacts(k *skeleton.Skeleton) (all bool) {
	var fault error
	if w.mapped {
		defer spanlog.Guard(&fault)()
	}
	w.into = k
	all = w.log.Facts(w.chain, w.fact)
	w.into = nil
	return all
}

func (w *spanWalk) addFact(f *spanlog.Fact, resource *spanlog.Identity) {
	w.into.Spans = append(w.into.Spans, facts.Span(f, resource))
}

func (w *spanWalk) run(yield func(policy.SpanView) bool) {
	var fault error
	if w.mapped {
		defer spanlog.Guard(&fault)()
	}
	w.yield = yield
	w.log.Records(w.chain, nil)(w.record)
}

// next yields a span, and reports whether to continue. It skips a span that cannot be read: the policies notice that
// spans are missing and match nothing, and if the trace is kept a sender meets the same error and reports it.
func (w *spanWalk) next(r spanlog.Record, err error) (more bool) {
	if err != nil {
		return true
	}
	if w.span, err = wire.ParseSpan(r.Body); err != nil {
		return true
	}
	return w.yield(policy.SpanView{Span: &w.span, Bytes: r.Body, Body: r.Body, Resource: r.Resource, Scope: r.Scope, Origin: r.Origin})
}
