package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/facts"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Add buffers the i-th span of a request, or drops it if its trace was dropped.
func (s *Shard) Add(in *intake.Request, i uint32, now clock.Monotonic) {
	span, hash := in.Span(i), in.Hash(i)
	n := s.index.Find(hash, &span.TraceID)
	if n == 0 {
		if n = s.admit(hash, &span.TraceID, span.Status == wire.StatusError, now); n == 0 {
			return
		}
	}
	e := s.index.At(n)
	if e.trims(span, s.shared.TraceSize) {
		s.tally.Stats.Trimmed++
		e.trimmed++
		if e.state == stateRevivable || s.shared.Ingest {
			s.touch(n)
		}
		s.look(in, span, n, now)
		return
	}
	body := in.Body(span)
	s.append(in, span, e, body) // first, as it may fault if the disk fails
	e.spans++
	e.bytes += uint64(len(body))
	s.tally.Stats.Spans++
	if span.Linked && s.links.ties != nil {
		s.links.observe(e, body)
	}
	switch e.state {
	case stateGathering:
		e.Failed = e.Failed || span.Status == wire.StatusError
		s.tally.Stats.LateKept++
		s.records.AddLate(hash, &span.TraceID, span.ParentID.IsZero())
		return
	case stateRevivable:
		e.lateSpans++
		if span.Status == wire.StatusError {
			e.lateErrors++
		}
		s.tally.Stats.RevivableBytes += int64(len(body))
		s.tally.Ages.AddLate(now.Sub(e.decidedAt))
		s.records.AddLate(hash, &span.TraceID, span.ParentID.IsZero())
		s.touch(n)
		s.look(in, span, n, now)
		return
	}
	s.tally.Stats.PendingBytes += int64(len(body))
	if s.shared.Ingest {
		s.touch(n)
	}
	s.look(in, span, n, now)
	if e.bytes >= 2*s.shared.TraceSize {
		s.decide(n, decision.BySize, now)
	}
}

// append stores a span and, if the policies of its trace look at the tree, its facts.
func (t *traces) append(in *intake.Request, span *wire.Span, e *entry, body []byte) {
	if !e.late {
		if v := t.versions.Of(e.generation); v.Skeleton {
			if view, _ := in.View(span, v); facts.Put(&t.fact, view) {
				t.log.AppendWithFact(&e.chain, in.Origin(span), body, &t.fact, facts.Identify)
				return
			}
		}
	}
	t.log.Append(&e.chain, in.Origin(span), body)
}

// look shows a span to the policies of its trace, and updates the state of the trace.
func (t *traces) look(in *intake.Request, span *wire.Span, n slot, now clock.Monotonic) {
	e := t.index.At(n)
	v, bits := t.versions.Of(e.generation), t.versions.Bits(e.generation, n)
	view, known := in.View(span, v)
	for w, found := range known {
		bits[w] |= found
	}
	v.Observe(bits, view)
	e.observe(view)
	t.follow(n, span.ParentID.IsZero(), now)
}

// touch marks a trace for Review.
func (s *Shard) touch(n slot) {
	if last := len(s.touched) - 1; last < 0 || s.touched[last] != n {
		s.touched = append(s.touched, n)
	}
}

// Review decides traces that got spans in this visit, if they are due. It runs once per visit, not per span, so that the
// spans of a request stay together.
func (s *Shard) Review(now clock.Monotonic) {
	for _, n := range s.touched {
		switch e := s.index.At(n); e.state {
		case statePending, stateRooted:
			if s.shared.Ingest && s.versions.Of(e.generation).Set.Settled(s.judge.evidence(n, now)) {
				s.decide(n, decision.ByIngest, now)
			}
		case stateRevivable:
			s.reconsider(n, now)
		}
	}
	s.touched = s.touched[:0]
}

// admit makes an entry for a new trace, or for a late part of a sampled one. It returns 0 if the trace was not
// sampled or dropped. failed says that the span has an error.
func (t *traces) admit(hash uint32, id *wire.TraceID, failed bool, now clock.Monotonic) slot {
	d, w, sampled := t.memory.Sampled(hash, id) // first, as a revived trace may have been restored as not sampled, too
	if !sampled {
		if d, notKept := t.memory.NotKept(hash, id); notKept {
			t.tally.Stats.LateDropped++
			if failed && d.Policy == version.NoPolicy { // otherwise a drop policy dropped it
				t.tally.Stats.LateErrors++
			}
			t.records.AddLate(hash, id, false)
			t.tally.Ages.AddLate(t.shared.ageOf(d.At, now))
			return 0
		}
	}
	n, e := t.index.New(hash, *id)
	t.index.File(n)
	e.arrived, e.random, e.from = now, tracestate.None, t.log.Position()
	if sampled {
		e.state, e.late, e.policy, e.threshold, e.random = stateGathering, true, d.Policy, w.Threshold, w.Random
		e.decidedAt = t.shared.Epoch.Monotonic(d.At.UnixMilli())
		t.queues.gathering.PushBack(&t.index, n)
		t.tally.Ages.AddLate(t.shared.ageOf(d.At, now))
		return n
	}
	e.generation = t.versions.Begin(n)
	t.queues.begin(&t.index, n)
	t.tally.Stats.Traces++
	t.tally.Stats.Pending++
	t.shared.Pending.Add(1)
	return n
}

// follow updates the state of a trace that got a span, and its place in the list of rooted traces by quiet time.
func (t *traces) follow(n slot, root bool, now clock.Monotonic) {
	e := t.index.At(n)
	waits := t.shared.Waits.Root != 0
	switch {
	case e.state == stateRooted:
		if waits && now.Sub(e.quietSince) >= requeueEvery {
			t.queues.quiet.Remove(&t.index, n)
			t.queues.quiet.PushBack(&t.index, n)
			e.quietSince = now
		}
	case e.state == statePending && root:
		e.state, e.quietSince = stateRooted, now
		if waits {
			t.queues.quiet.PushBack(&t.index, n)
		}
	}
}

// A trace that has reached maximum_trace_size_bytes still waits for its decision. Of the spans that follow, only those that
// explain the trace are stored; the policies see the others, which are counted as trimmed and left out. When the stored
// spans reach twice the size, the trace is decided.

// longShare is the share of its trace's duration from which on a long span is stored, as 1/longShare: the longest spans
// show what a trace waited for, and only a few of them fit into it one after another.
const longShare = 2

// trims reports whether a span is left out because its trace is larger than allowed.
func (e *entry) trims(span *wire.Span, allowed uint64) bool {
	if e.bytes < allowed || e.state == stateGathering {
		return false
	}
	if span.ParentID.IsZero() || span.Status == wire.StatusError {
		return false
	}
	long := span.End > span.Start && e.span.end > e.span.start &&
		(span.End-span.Start)*longShare >= e.span.end-e.span.start
	return !long
}
