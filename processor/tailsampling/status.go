package tailsampling

import (
	"time"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// Status is what GET /api/sampling/v1/status shows. What is counted is since the start.
type Status struct {
	TracesPending          int64   `json:"traces_pending"`
	SpansBuffered          int64   `json:"spans_buffered"`
	BytesBuffered          int64   `json:"bytes_buffered"`
	MemoryBudgetBytes      int64   `json:"memory_budget_bytes"`
	OldestUndecidedSeconds float64 `json:"oldest_undecided_seconds"`
	// TracesRevivable were not sampled, and their spans are there still; see Config.ReviveWindow.
	TracesRevivable   int64     `json:"traces_revivable"`
	BytesRevivable    int64     `json:"bytes_revivable"`
	TracesUndelivered int64     `json:"traces_undelivered"`
	Decided           Decided   `json:"decided"`
	LateSpans         LateSpans `json:"late_spans"`
	RefusedSpans      int64     `json:"refused_spans"`
	FailedSpans       int64     `json:"failed_spans"`
	EarlyDecisions    int64     `json:"early_decisions"`
	// RevivedTraces were not sampled, and then sampled because of what came late; Decided counts them twice.
	RevivedTraces int64 `json:"revived_traces"`
	// LinkedTraces are kept for a link alone; see Config.LinkedTraces.
	LinkedTraces int64 `json:"linked_traces"`
	// Storage is memory or disk.
	Storage         string `json:"storage"`
	DiskBytes       int64  `json:"disk_bytes"`
	DiskBudgetBytes int64  `json:"disk_budget_bytes"`
	Segments        int64  `json:"segments"`
	// RecoveredSpans were read back at the start. LostSpans were acknowledged and are gone: 0 unless the disk is damaged,
	// or a shutdown with storage memory could not deliver. TrimmedSpans were left out of giant traces.
	RecoveredSpans int64          `json:"recovered_spans"`
	LostSpans      int64          `json:"lost_spans"`
	TrimmedSpans   int64          `json:"trimmed_spans"`
	Policies       []PolicyStatus `json:"policies"`
}

// Decided is how many traces were decided, by verdict.
type Decided struct {
	Sampled    int64 `json:"sampled"`
	NotSampled int64 `json:"not_sampled"`
	Dropped    int64 `json:"dropped"`
}

// LateSpans is how many spans came after the decision, by what it was.
type LateSpans struct {
	Kept    int64 `json:"kept"`
	Dropped int64 `json:"dropped"`
}

// PolicyStatus is what a policy decided. Traces that several policies would sample are told of the first.
type PolicyStatus struct {
	Name          string `json:"name"`
	Type          string `json:"type"`
	SampledTraces int64  `json:"sampled_traces"`
	SampledSpans  int64  `json:"sampled_spans"`
	DroppedTraces int64  `json:"dropped_traces"`
}

// Status tells what is buffered and what was decided.
func (p *Sampler) Status() Status {
	st := p.sum()
	out := Status{
		TracesPending:          st.pending,
		SpansBuffered:          st.spans,
		BytesBuffered:          p.pool.Used(),
		MemoryBudgetBytes:      p.pool.Limit(),
		OldestUndecidedSeconds: p.oldest().Seconds(),
		TracesUndelivered:      st.undelivered,
		Decided: Decided{
			Sampled:    st.verdict(policy.Sampled),
			NotSampled: st.verdict(policy.NotSampled),
			Dropped:    st.verdict(policy.Dropped),
		},
		LateSpans:       LateSpans{Kept: st.lateKept, Dropped: st.lateDropped},
		RefusedSpans:    p.refused(),
		FailedSpans:     p.failed.Load(),
		EarlyDecisions:  st.early(),
		RevivedTraces:   st.triggers[byRevival],
		TracesRevivable: st.revivable,
		BytesRevivable:  st.revivableBytes,
		Storage:         p.cfg.Storage,
		DiskBytes:       p.pool.Disk(),
		DiskBudgetBytes: p.pool.DiskLimit(),
		Segments:        int64(p.usage().Segments),
		LostSpans:       p.lostSpans(),
		TrimmedSpans:    st.trimmed,
	}
	if p.store != nil {
		out.RecoveredSpans = p.store.spans.Load()
	}
	counts, set := p.countsByPolicy(st), p.rules.Load().set
	if linked := counts[linkedPolicy]; linked != nil && p.cfg.LinkedTraces.Enabled {
		out.LinkedTraces = linked.decided[policy.Sampled].traces
	}
	out.Policies = make([]PolicyStatus, set.Len())
	for i := range out.Policies {
		status := PolicyStatus{Name: set.Name(i), Type: string(set.Type(i))}
		if counted := counts[status.Name]; counted != nil {
			sampled := counted.decided[policy.Sampled]
			status.SampledTraces, status.SampledSpans = sampled.traces, sampled.spans
			status.DroppedTraces = counted.decided[policy.Dropped].traces
		}
		out.Policies[i] = status
	}
	return out
}

// countsByPolicy adds up what was counted by the names of policies, those of composite ones with their sub-policies.
func (p *Sampler) countsByPolicy(st stats) map[string]*policyStats {
	counts := map[string]*policyStats{}
	for number := range st.policies {
		of := p.names.of(int32(number)).policy
		if counts[of] == nil {
			counts[of] = new(policyStats)
		}
		counts[of].add(&st.policies[number])
	}
	return counts
}

// sum adds the shards' counters up.
func (p *Sampler) sum() (all stats) {
	if !p.ready.Load() {
		return all // the shards are busy
	}
	for _, s := range p.shards {
		s.mu.Lock()
		all.add(&s.stats)
		s.mu.Unlock()
	}
	return all
}

// oldest is how long ago the first span of the oldest undecided trace came, 0 if there is none.
func (p *Sampler) oldest() time.Duration {
	arrived := never
	if !p.ready.Load() {
		return 0
	}
	for _, s := range p.shards {
		s.mu.Lock()
		if h := s.waiting.head; h != 0 {
			arrived = min(arrived, s.entries.At(h).arrived)
		}
		s.mu.Unlock()
	}
	if arrived == never {
		return 0
	}
	return time.Duration(p.now() - arrived)
}

// usage adds up what the shards' logs hold.
func (p *Sampler) usage() (all spanlog.Usage) {
	if !p.ready.Load() {
		return all
	}
	for _, s := range p.shards {
		s.mu.Lock()
		u := s.log.Usage()
		s.mu.Unlock()
		all.Segments += u.Segments
		all.Allocated += u.Allocated
		all.Cold += u.Cold
		all.Live += u.Live
	}
	return all
}

// lostSpans is how many spans were acknowledged and are gone.
func (p *Sampler) lostSpans() int64 {
	n := p.lost.Load()
	if p.store != nil {
		n += p.store.lost.Load()
	}
	return n
}
