package tailsampling

import "github.com/slowburn/slowburn/processor/policy"

// Cost is what policies and services bring and take, since the start.
type Cost struct {
	Policies []PolicyCost  `json:"policies"`
	Services []ServiceCost `json:"services"`
}

// PolicyCost is what a policy of the current version decided, under all versions in which it was. Spans and bytes are
// those that were there when the traces were decided.
type PolicyCost struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// Sampled is what it was the first to sample, Dropped what it dropped.
	Sampled Amount `json:"sampled"`
	Dropped Amount `json:"dropped"`
	// Matched is what it is for at all, whether it then passed the threshold or not, and Alone what it sampled and no
	// other policy would have: what would not be kept without it.
	Matched Amount `json:"matched"`
	Alone   Amount `json:"alone"`
}

// ServiceCost is what came of a service, and what of it was passed on.
type ServiceCost struct {
	Service   string `json:"service"`
	SpansIn   int64  `json:"spans_in"`
	BytesIn   int64  `json:"bytes_in"`
	SpansKept int64  `json:"spans_kept"`
	BytesKept int64  `json:"bytes_kept"`
}

// Cost tells what was decided by policy, and what came and was kept by service.
func (p *Sampler) Cost() Cost {
	counts, set := p.countsByPolicy(p.sum()), p.rules.Load().set
	out := Cost{Policies: make([]PolicyCost, set.Len()), Services: []ServiceCost{}}
	for i := range out.Policies {
		one := PolicyCost{Name: set.Name(i), Type: string(set.Type(i))}
		if c := counts[one.Name]; c != nil {
			one.Sampled, one.Dropped = c.decided[policy.Sampled].show(), c.decided[policy.Dropped].show()
			one.Matched, one.Alone = c.matched.show(), c.alone.show()
		}
		out.Policies[i] = one
	}
	for name, s := range p.services.all {
		out.Services = append(out.Services, ServiceCost{
			Service: name, SpansIn: s.inSpans.Load(), BytesIn: s.inBytes.Load(),
			SpansKept: s.keptSpans.Load(), BytesKept: s.keptBytes.Load(),
		})
	}
	return out
}
