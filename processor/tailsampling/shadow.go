package tailsampling

import (
	"cmp"
	"slices"
	"time"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
)

// ShadowConfig is a second set of policies, which decides the same traces and is only counted.
type ShadowConfig struct {
	Policies []policy.Config `mapstructure:"policies"`
}

// shadowStats count in a shard what the shadow of a version would have done.
type shadowStats struct {
	decided              [verdicts]amount
	policies             []shadowPolicy // by index
	onlyShadow, onlyReal amount
	differ               []difference // the latest ones
	next                 int          // of these, the oldest once there are as many as are told
}

type shadowPolicy struct{ sampled, dropped amount }

// difference is a trace that only one of the two would keep.
type difference struct {
	id           wire.TraceID
	at           int64 // Unix milliseconds
	shadow, real policy.Verdict
}

// mostDifferences is how many traces are told on which the shadow differs.
const mostDifferences = 100

// compare counts what the shadow would have done with a trace about which d was decided.
func (s *shadowStats) compare(d, shadow policy.Decision, e *entry, at int64) {
	s.decided[shadow.Verdict].addTrace(e)
	if shadow.Policy != policy.None {
		for shadow.Policy >= len(s.policies) {
			s.policies = append(s.policies, shadowPolicy{})
		}
		if by := &s.policies[shadow.Policy]; shadow.Verdict == policy.Sampled {
			by.sampled.addTrace(e)
		} else {
			by.dropped.addTrace(e)
		}
	}
	switch kept := d.Verdict == policy.Sampled; {
	case kept == (shadow.Verdict == policy.Sampled):
		return
	case kept:
		s.onlyReal.addTrace(e)
	default:
		s.onlyShadow.addTrace(e)
	}
	one := difference{id: e.id, at: at, shadow: shadow.Verdict, real: d.Verdict}
	if len(s.differ) < mostDifferences {
		s.differ = append(s.differ, one)
		return
	}
	s.differ[s.next] = one
	s.next = (s.next + 1) % mostDifferences
}

func (s *shadowStats) add(o *shadowStats) {
	for v := range s.decided {
		s.decided[v].add(&o.decided[v])
	}
	for i := range o.policies {
		if i == len(s.policies) {
			s.policies = append(s.policies, shadowPolicy{})
		}
		s.policies[i].sampled.add(&o.policies[i].sampled)
		s.policies[i].dropped.add(&o.policies[i].dropped)
	}
	s.onlyShadow.add(&o.onlyShadow)
	s.onlyReal.add(&o.onlyReal)
	s.differ = append(s.differ, o.differ...)
}

// Amount is how much of something there was.
type Amount struct {
	Traces int64 `json:"traces"`
	Spans  int64 `json:"spans"`
	Bytes  int64 `json:"bytes"`
}

func (a amount) show() Amount { return Amount{a.traces, a.spans, a.bytes} }

// ShadowStatus is what the shadow would have kept of the traces that began under the current version of the policies.
type ShadowStatus struct {
	PolicyVersion int                  `json:"policy_version"`
	Since         time.Time            `json:"since"`
	Sampled       Amount               `json:"sampled"`
	NotSampled    Amount               `json:"not_sampled"`
	Dropped       Amount               `json:"dropped"`
	Policies      []ShadowPolicyStatus `json:"policies"`
	// OnlyShadow is what only the shadow would keep, OnlyReal what only the real policies keep.
	OnlyShadow Amount `json:"only_shadow"`
	OnlyReal   Amount `json:"only_real"`
	// Differences are the latest of both, the latest first.
	Differences []Difference `json:"differences"`
}

// ShadowPolicyStatus is what a policy of the shadow would have sampled or dropped, told of the first that would.
type ShadowPolicyStatus struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Sampled Amount `json:"sampled"`
	Dropped Amount `json:"dropped"`
}

// Difference is a trace that only one of the two would keep.
type Difference struct {
	TraceID   string    `json:"trace_id"`
	DecidedAt time.Time `json:"decided_at"`
	Shadow    string    `json:"shadow"`
	Real      string    `json:"real"`
}

// Shadow tells what the shadow would have done, or that there is none.
func (p *Sampler) Shadow() (ShadowStatus, bool) {
	r := p.rules.Load()
	if r.shadow == nil {
		return ShadowStatus{}, false
	}
	var all shadowStats
	if p.ready.Load() {
		for _, s := range p.shards {
			s.mu.Lock()
			if g := &s.rules.list[s.rules.current]; g.rules == r {
				all.add(&g.shadow)
			}
			s.mu.Unlock()
		}
	}
	out := ShadowStatus{
		PolicyVersion: r.version, Since: r.since,
		Sampled:    all.decided[policy.Sampled].show(),
		NotSampled: all.decided[policy.NotSampled].show(),
		Dropped:    all.decided[policy.Dropped].show(),
		Policies:   make([]ShadowPolicyStatus, r.shadow.Len()),
		OnlyShadow: all.onlyShadow.show(), OnlyReal: all.onlyReal.show(),
		Differences: all.latest(),
	}
	for i := range out.Policies {
		one := ShadowPolicyStatus{Name: r.shadow.Name(i), Type: string(r.shadow.Type(i))}
		if i < len(all.policies) {
			one.Sampled, one.Dropped = all.policies[i].sampled.show(), all.policies[i].dropped.show()
		}
		out.Policies[i] = one
	}
	return out, true
}

// latest are the latest differences of all shards, the latest first.
func (s *shadowStats) latest() []Difference {
	slices.SortFunc(s.differ, func(a, b difference) int {
		return cmp.Or(cmp.Compare(b.at, a.at), slices.Compare(a.id[:], b.id[:]))
	})
	list := []Difference{}
	for _, d := range s.differ[:min(len(s.differ), mostDifferences)] {
		list = append(list, Difference{d.id.String(), time.UnixMilli(d.at).UTC(), d.shadow.String(), d.real.String()})
	}
	return list
}
