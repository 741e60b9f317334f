package sim

import (
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling"
)

// start starts a process on the present disk, and again for as long as it is killed meanwhile.
func (w *World) start() {
	w.starting = true
	defer func() { w.starting = false }()
	for {
		w.lives++
		w.restore()
		w.restore = w.guard()
		w.clock.sure = w.clock.off == 0 && (w.lives == 1 || w.trueTime())
		config := *w.scenario.config
		if w.rng.IntN(4) == 0 && w.lives > 1 {
			config.NumShards = pick(w.rng, 1, 2, 4)
			config.MemoryBudget = w.scenario.config.MemoryBudget * 4
		}
		if w.shards != config.NumShards {
			w.shards = config.NumShards
			w.reshard()
		}
		set := processortest.NewNopSettings(component.MustNewType("tail_sampling"))
		g, err := tailsampling.NewStepped(set, &config, backends{w}, tailsampling.StepSettings{
			System: w.disk, Seed: [2]uint64{w.seed, ^w.seed}, OnEvent: w.onEvent, Meanwhile: w.interleave,
		})
		if err != nil {
			w.problem("the gateway does not start: %v", err)
			return
		}
		w.gateway = g
		if w.disk.faults.Read {
			w.doubt() // unreadable journals are forgotten
		}
		err = g.Open()
		if err == nil && w.scenario.alerts {
			if err := w.startEngine(w.ledger); err != nil && !w.ended() {
				w.problem("evaluating does not start: %v", err)
				return
			}
		}
		if err == nil && w.scenario.counts {
			if err := w.startCounts(); err != nil && !w.ended() {
				w.problem("counting does not start: %v", err)
				return
			}
			if lost := w.front.Lost(); lost != "" {
				w.log("counting: %s", lost)
				w.tally.countsLost = true
			}
		}
		if w.ended() {
			w.bury()
			continue
		}
		if err == nil {
			w.log("life %d begins with %d shards and %+v", w.lives, config.NumShards, g.Held())
			w.relapses()
			return
		}
		if w.disk.faults == (DiskFaults{}) {
			w.problem("the gateway does not start: %v", err)
			return
		}
		w.log("the gateway does not start: %v", err)
		w.bury()
		w.disk.faults = DiskFaults{}
	}
}

// bury ends a dead process, and takes over its disk.
func (w *World) bury() {
	w.count()
	disk, kept := w.death.disk, w.death.place
	if w.death.done {
		w.ledger = w.death.ledger
	} else {
		w.ledger = w.copyLedger()
	}
	w.stopEngine()
	if w.death.cut && w.death.done {
		w.forget()
	}
	if disk == nil {
		disk, kept = w.disk.Kill(nil), w.place.survive(false)
	}
	if w.front != nil && w.front.Volatile() != "" {
		w.tally.countsLost = true
	}
	w.disk.ended = true
	w.gateway.Abandon()
	disk.faults = w.disk.faults
	w.place = kept
	w.disk, w.death, w.settling = disk, death{}, w.settling[:0]
}

// doubt records that decisions and deliveries may have been forgotten.
func (w *World) doubt() {
	for _, t := range w.all {
		t.torn, t.mustBeSampled, t.erred = true, false, false
	}
	for _, id := range w.order {
		clear(w.destinations[id].settled)
	}
}

// forget removes what a power cut lost from the gateway's obligations.
func (w *World) forget() {
	w.tally.unsafe = true
	w.doubt()
	for _, t := range w.all {
		for _, s := range t.spans {
			if !s.safe {
				s.acked, t.erred = false, false
			}
		}
	}
}

// count records a process's counters.
func (w *World) count() {
	for i, o := range w.gateway.Outcomes() {
		w.tally.givenUp[w.order[i]] += o.GivenUpTraces
	}
	h := w.gateway.Held()
	w.tally.lost += h.Lost
	if h.Skipped+h.Volatile > 0 { // a disk that failed may lack decisions, or stored bytes
		w.tally.misread = w.tally.misread || h.Volatile > 0
		w.doubt()
	}
}

// onEvent is called for each event in a journal.
func (w *World) onEvent(e *spanlog.Event, done bool) {
	if !done {
		w.at("journal")
		return
	}
	if w.ended() {
		return
	}
	w.at("journaling")
	if w.ended() && w.death.torn {
		return
	}
	w.take(e)
	w.at("journaled")
}

// take records an event in a journal.
func (w *World) take(e *spanlog.Event) {
	t := w.traces[e.TraceID]
	if t == nil {
		w.problem("trace %x was decided, and nobody sent it", e.TraceID)
		return
	}
	sampled := policy.Verdict(e.Verdict) == policy.Sampled
	if e.Kind == spanlog.Decided && !e.Late && w.mayForget(t) && e.From >= t.upTo {
		t.torn = true // spans since then are a trace of their own
	}
	w.journaled++
	if e.Kind == spanlog.Decided && (e.From >= t.upTo || sampled && !t.sampled) {
		t.noted = w.journaled
	}
	t.upTo = max(t.upTo, e.To)
	if e.Kind != spanlog.Decided {
		return
	}
	w.log("trace %x is decided: %s by policy %d, threshold %x, late %v", t.id[:4], policy.Verdict(e.Verdict), e.Policy, e.Threshold, e.Late)
	if t.decided++; t.decided == 1 { // others may repeat it, so that it stays in the journal
		t.decidedAt, t.decidedIn = w.elapsed(), w.lives
	}
	if !sampled {
		if t.sampled && !t.torn {
			w.problem("trace %x was sampled, and is decided anew: %s", t.id, policy.Verdict(e.Verdict))
		}
		if t.erred && t.decided == 1 {
			w.problem("trace %x has a span with an error, and is decided: %s", t.id, policy.Verdict(e.Verdict))
		}
		if t.rejectedIn != w.lives {
			t.rejectedBefore, t.rejectedIn = t.rejectedIn, w.lives
		}
		return
	}
	if random := tracestate.Resolve(t.id, e.Random); e.Threshold != tracestate.None && e.Threshold > random {
		w.problem("trace %x is sampled with threshold %x, which its randomness %x does not pass", t.id, e.Threshold, random)
	}
	if t.erred && t.decided == 1 && e.Threshold != 0 {
		w.problem("trace %x has a span with an error, and is sampled with threshold %x", t.id, e.Threshold)
	}
	if t.sampled && !e.Late && t.threshold != e.Threshold && !t.torn {
		w.problem("trace %x is sampled with threshold %x, and then with %x", t.id, t.threshold, e.Threshold)
	}
	if !t.sampled {
		t.sampledIn = w.lives
	}
	t.sampled, t.threshold = true, e.Threshold
}

// mayForget reports whether so many decisions followed that late spans need not follow this trace's any more: at least a shard's
// share of the decision cache is remembered. Spans that were decided are never decided again.
func (w *World) mayForget(t *trace) bool {
	return t.decided > 0 && w.journaled-t.noted >= w.scenario.config.DecisionCache.SampledCacheSize/mostShards
}

// reshard records that decisions go to other shards: the journals of several shards are read one after another, and the last
// decisions read are remembered, whenever they were made.
func (w *World) reshard() {
	for _, t := range w.all {
		t.noted -= w.scenario.config.DecisionCache.SampledCacheSize
	}
}

// check checks all laws, after faults have ended and time has passed.
func (w *World) check() {
	w.count()
	w.checkCounts()
	w.checkAlerts()
	missing := map[string]int64{}
	for _, t := range w.all {
		w.checkTrace(t, missing)
	}
	for _, id := range w.order {
		if up := w.tally.givenUp[id]; up > 0 && w.scenario.roomy {
			w.problem("%d traces were given up for %s, which had no budget to exceed", up, id)
		}
		if n := missing[id]; n > w.tally.givenUp[id] && !w.tally.misread {
			w.problem("%s has not got %d sampled traces whole, and %d were given up", id, n, w.tally.givenUp[id])
		}
	}
	if w.tally.lost > 0 && !w.tally.misread && !w.tally.unsafe {
		w.problem("%d spans were lost", w.tally.lost)
	}
	if h := w.gateway.Held(); h.Spans+h.Undecided+h.Undelivered+h.Refused != 0 {
		w.problem("when all is over, there is left: %+v", h)
	}
}

// checkTrace checks the outcome of a trace, and counts a trace that a destination does not have completely.
func (w *World) checkTrace(t *trace, missing map[string]int64) {
	var acked []*span
	for _, s := range t.spans {
		if s.acked {
			acked = append(acked, s)
		}
	}
	switch {
	case len(acked) == 0:
		return
	case t.decided == 0 && !w.tally.misread:
		w.problem("trace %x was acknowledged, and never decided", t.id)
		return
	case t.mustBeSampled && !t.sampled && w.scenario.roomy && !w.tally.misread:
		w.problem("trace %x got a span with an error in time, and was not revived", t.id)
	case !t.sampled, w.mayTrim(t):
		return
	case t.rejectedIn != 0 && t.torn:
		return
	}
	forgotten := t.forgotten()
	for _, id := range w.order {
		d := w.destinations[id]
		for _, s := range acked {
			if d.got[s.id] == 0 && s.life > forgotten {
				w.log("%s has not got span %x of sampled trace %x", id, s.id, t.id)
				missing[id]++
				break
			}
		}
	}
}

// forgotten returns the life up to which spans of a sampled trace may be missing. A restart drops the spans that revive_window
// would restore. Spans that came later, or in a request without an answer, are a trace of their own: it may not be sampled
// either, and be revived later in the same life without the spans of the earlier one.
func (t *trace) forgotten() int {
	if t.rejectedIn == t.sampledIn {
		return t.rejectedBefore
	}
	return t.rejectedIn
}

// mayTrim reports whether the trace is so large that spans of it are trimmed.
func (w *World) mayTrim(t *trace) bool {
	size := 0
	for _, s := range t.spans {
		size += s.given * (200 + s.padding)
	}
	limit := int(w.scenario.config.MaximumTraceSizeBytes)
	return limit > 0 && size > limit
}

func (w *World) summary() string {
	sampled, acked := 0, 0
	for _, t := range w.all {
		if t.sampled {
			sampled++
		}
		for _, s := range t.spans {
			if s.acked {
				acked++
			}
		}
	}
	return fmt.Sprintf("%d steps, %d lives, %d traces, %d sampled, %d spans acknowledged, %d lost, given up %v",
		w.steps, w.lives, len(w.all), sampled, acked, w.tally.lost, w.tally.givenUp)
}
