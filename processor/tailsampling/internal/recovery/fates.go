package recovery

import (
	"iter"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// fates is what the journals say about each part of a shard's traces. It is only needed while a log is read back.
type fates struct {
	last      map[wire.TraceID]int32 // by trace: the index of its last part, plus one
	parts     []fate
	decisions int32
}

// fate is the state of a part of a trace.
type fate struct {
	from, to  spanlog.Position
	threshold uint64
	random    uint64
	at        decision.Seconds
	policy    int32
	order     int32      // of its decision
	before    int32      // index of the part before it, plus one
	slot      index.Slot // of its entry, once there is one
	verdict   policy.Verdict
	late      bool
	failed    bool
	revived   bool
	trimmed   uint32
	waits     set // of a sampled part: destinations that have not received it
	attempted set // of these: those that may have received it
}

func newFates() *fates { return &fates{last: map[wire.TraceID]int32{}} }

// add applies an event of the journal. It reports whether the event is a decision about an unknown trace, or changes a
// known one. name is the current number of its policy; to are the destinations of the journal.
//
// The first event about a part fixes its destinations: those that existed then. Later events that repeat it, in a journal
// with other destinations, add none.
func (f *fates) add(e *spanlog.Event, name int32, to *roster) (isNew bool) {
	id := wire.TraceID(e.TraceID)
	part := f.part(id, e.From)
	if part == nil {
		f.parts = append(f.parts, fate{
			from: e.From, to: e.To, threshold: e.Threshold, random: e.Random, at: decision.Seconds(e.At), policy: name,
			order: f.decisions, before: f.last[id], verdict: policy.Verdict(e.Verdict), late: e.Late,
			failed: e.Failed, revived: e.Revived, trimmed: e.Trimmed, waits: to.all,
		})
		f.last[id] = int32(len(f.parts))
		f.decisions++
		part = &f.parts[len(f.parts)-1]
		isNew = e.Kind == spanlog.Decided && !e.Late
	} else if e.Kind == spanlog.Decided {
		isNew = f.redecide(part, e, name, to)
	}
	switch e.Kind {
	case spanlog.Attempted:
		part.attempted |= to.of(e) & part.waits
	case spanlog.Delivered:
		part.waits &^= to.of(e)
		part.attempted &= part.waits
	}
	return isNew
}

// redecide applies another decision about a part. It covers the late spans of a trace that was not sampled, whether that
// was revived or not, or repeats a decision to keep it in the journal. It reports whether the trace was revived.
func (f *fates) redecide(part *fate, e *spanlog.Event, name int32, to *roster) (revived bool) {
	part.to = max(part.to, e.To)
	if policy.Verdict(e.Verdict) != policy.Sampled || part.verdict == policy.Sampled {
		return false
	}
	part.verdict, part.threshold, part.random = policy.Sampled, e.Threshold, e.Random
	part.at, part.policy, part.order = decision.Seconds(e.At), name, f.decisions
	part.failed, part.revived, part.trimmed, part.waits = e.Failed, e.Revived, e.Trimmed, to.all
	f.decisions++
	return true
}

// part returns the part of a trace that begins at this position, or nil.
func (f *fates) part(id wire.TraceID, from spanlog.Position) *fate {
	for n := f.last[id]; n != 0; n = f.parts[n-1].before {
		if p := &f.parts[n-1]; p.from == from {
			return p
		}
	}
	return nil
}

// find returns the decided part that a span is in. If there is none and the trace was sampled before the span came, it
// returns the part whose decision the span follows: the trace's own, or, if that is not known any more, a late one.
func (f *fates) find(id wire.TraceID, at spanlog.Position) (part, followed *fate) {
	for n := f.last[id]; n != 0; n = f.parts[n-1].before {
		p := &f.parts[n-1]
		switch {
		case at >= p.from && at < p.to:
			return p, nil
		case at >= p.to && (followed == nil || followed.late):
			followed = p
		}
	}
	if followed != nil && followed.verdict != policy.Sampled {
		followed = nil
	}
	return nil, followed
}

// kept returns a part of the trace with this ID and hash as a shard restores it.
func (p *fate) kept(id wire.TraceID, hash uint32) shard.KeptPart {
	return shard.KeptPart{
		ID: id, Hash: hash, Part: decision.Part{From: p.from, To: p.to, Late: p.late}, Policy: p.policy,
		Threshold: p.threshold, Random: p.random, Waits: p.waits.today(), Attempted: p.attempted.today(),
		Failed: p.failed, Revived: p.revived, Trimmed: p.trimmed, At: p.at, Order: p.order,
	}
}

// waiting returns the number of sampled traces of which the destination with this number has not received all
// parts.
func (f *fates) waiting(number int) (traces int) {
	for _, n := range f.last {
		for ; n != 0; n = f.parts[n-1].before {
			if p := &f.parts[n-1]; p.verdict == policy.Sampled && p.waits.has(number) {
				traces++
				break
			}
		}
	}
	return traces
}

// events yields the events that a new journal needs for the same fates, part by part. It names only the first so many
// destinations.
func (f *fates) events(destinations int) iter.Seq[spanlog.Event] {
	return func(yield func(spanlog.Event) bool) {
		ids := make([]wire.TraceID, len(f.parts))
		for id, n := range f.last {
			for ; n != 0; n = f.parts[n-1].before {
				ids[n-1] = id
			}
		}
		for i := range f.parts {
			if !f.parts[i].events(ids[i], destinations, yield) {
				return
			}
		}
	}
}

// events yields the events about a part: its decision, which destinations have received it, and which may
// have. It reports whether to continue.
func (p *fate) events(id wire.TraceID, destinations int, yield func(spanlog.Event) bool) (more bool) {
	e := spanlog.Event{
		Kind: spanlog.Decided, Verdict: uint8(p.verdict), Late: p.late, Policy: int(p.policy), TraceID: id,
		From: p.from, To: p.to, At: uint32(p.at), Threshold: p.threshold, Random: p.random,
		Failed: p.failed, Revived: p.revived, Trimmed: p.trimmed,
	}
	if !yield(e) {
		return false
	}
	if p.verdict != policy.Sampled {
		return true
	}
	if p.waits.today() == 0 {
		e.Kind, e.Destination = spanlog.Delivered, spanlog.EveryDestination
		return yield(e)
	}
	for d := range destinations {
		e.Destination = uint8(d)
		switch {
		case !p.waits.has(d):
			e.Kind = spanlog.Delivered
		case p.attempted.has(d):
			e.Kind = spanlog.Attempted
		default:
			continue
		}
		if !yield(e) {
			return false
		}
	}
	return true
}
