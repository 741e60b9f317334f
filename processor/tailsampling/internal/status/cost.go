package status

import (
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// Amount is how much of something there was.
type Amount = tally.Amount

// Cost is what policies and services bring and take, since the start.
type Cost struct {
	Policies []PolicyCost
	Services []ServiceCost
}

// PolicyCost is what a policy of the current version decided, under all versions in which it was. Spans and bytes are
// those that were there when the traces were decided.
type PolicyCost struct {
	Name string
	Type string
	// Percentage is the share that a probabilistic policy is to sample of all traces, or a rule of those that it decides about; nil
	// for others.
	Percentage *float64
	// Sampled is what it sampled with the least threshold of all policies, Dropped what it dropped.
	Sampled Amount
	Dropped Amount
	// Matched is what it is for at all, whether it then passed the threshold or not, and Alone what it sampled and no
	// other policy would have: what would not be kept without it.
	Matched Amount
	Alone   Amount
}

// ServiceCost is what came of a service, and what of it was passed on.
type ServiceCost struct {
	Service   string
	SpansIn   int64
	BytesIn   int64
	SpansKept int64
	BytesKept int64
}

// Cost returns what each policy decided, and what came from each service and was kept of it.
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
