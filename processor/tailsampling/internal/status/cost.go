package status

import (
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// Amount counts traces, spans and bytes.
type Amount = tally.Amount

// Cost lists the amounts by policy and by service since the start.
type Cost struct {
	Policies []PolicyCost
	Services []ServiceCost
}

// PolicyCost is the amount that a policy of the current version decided, in all versions that had it. Spans and bytes
// are those present at the decisions.
type PolicyCost struct {
	Name string
	Type string
	// Percentage is the share of traces that a probabilistic policy samples, of all, or a rule, of those that it matches; nil for
	// others.
	Percentage *float64
	// Sampled is the amount that the policy sampled with the lowest threshold of all policies, Dropped the
	// amount that it dropped.
	Sampled Amount
	Dropped Amount
	// Matched is the amount that the policy matched, whether it passed the threshold or not. Alone is the amount that
	// only this policy sampled: without it that would not be kept.
	Matched Amount
	Alone   Amount
}

// ServiceCost is the amount received from a service, and the part of it that was kept.
type ServiceCost struct {
	Service   string
	SpansIn   int64
	BytesIn   int64
	SpansKept int64
	BytesKept int64
}

// Cost returns the amounts by policy and by service.
func (w *View) Cost() Cost {
	st := w.Buffer.Sum()
	counts, set := w.countsByPolicy(&st), w.Versions.Current().Set
	out := Cost{Policies: make([]PolicyCost, set.Len()), Services: []ServiceCost{}}
	for i := range out.Policies {
		cost := PolicyCost{Name: set.Name(i), Type: string(set.Type(i))}
		if percent, ok := set.Percentage(i); ok {
			cost.Percentage = &percent
		}
		if c := counts[cost.Name]; c != nil {
			cost.Sampled, cost.Dropped = c.Decided[policy.Sampled], c.Decided[policy.Dropped]
			cost.Matched, cost.Alone = c.Matched, c.Alone
		}
		out.Policies[i] = cost
	}
	for name, s := range w.Services.All {
		out.Services = append(out.Services, ServiceCost{
			Service: name, SpansIn: s.In.Spans.Load(), BytesIn: s.In.Bytes.Load(),
			SpansKept: s.Kept.Spans.Load(), BytesKept: s.Kept.Bytes.Load(),
		})
	}
	return out
}
