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

// fates is what the journals have about a shard's traces: what became of each part of them. It is only needed while a log is
// read back.
type fates struct {
	last      map[wire.TraceID]int32 // by trace: its last part, by index plus one
	parts     []fate
	decisions int32
}

// fate is what became of a part of a trace.
type fate struct {
	from, to  spanlog.Position
	threshold uint64
	random    uint64
	at        decision.Seconds
	policy    int32
	order     int32      // of its decision
	before    int32      // the part of the trace before it, by index plus one
	slot      index.Slot // of its entry, once there is one
	verdict   policy.Verdict
	late      bool
	failed    bool
	revived   bool
	trimmed   uint32
	waits     set // of a part that was sampled: these have not got it
	attempted set // of these, they may have it
}

func newFates() *fates { return &fates{last: map[wire.TraceID]int32{}} }

// add takes an event of the journal into account, and reports whether it is a decision about a trace that was not known
// yet, or another one than was known. name is the number that its policy has now; to are the destinations of the journal.
//
// The first event about a part says for whom it is: for the destinations that there were. Events that repeat it later, in
// a journal with others, do not make it wait for these.
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

// redecide takes into account that a part was decided once more: with what came since it was not sampled, be it revived or
// not, or only so that the decision stays in the journal. It reports whether it was revived.
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

// part returns the part of a trace that begins there.
func (f *fates) part(id wire.TraceID, from spanlog.Position) *fate {
	for n := f.last[id]; n != 0; n = f.parts[n-1].before {
		if p := &f.parts[n-1]; p.from == from {
			return p
		}
	}
	return nil
}

// find returns what became of a span: the part that it is in, if that was decided; else, if the trace was sampled before
// the span came, the part that was as followed. That is a late one only where the decision is not known any more.
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

// kept is a part, of a trace with this ID and hash, as a shard restores it.
func (p *fate) kept(id wire.TraceID, hash uint32) shard.KeptPart {
	return shard.KeptPart{
		ID: id, Hash: hash, Part: decision.Part{From: p.from, To: p.to, Late: p.late}, Policy: p.policy,
		Threshold: p.threshold, Random: p.random, Waits: p.waits.today(), Attempted: p.attempted.today(),
		Failed: p.failed, Revived: p.revived, Trimmed: p.trimmed, At: p.at, Order: p.order,
	}
}

// waiting is how many traces were sampled of which the destination with this number has not got all parts.
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

// events yields the events that a new journal needs for the same fates, part by part. It names so many destinations, which
// are the first.
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

// events yields the events about a part: that it was decided, who has it and who may have it.
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
