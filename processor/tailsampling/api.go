package tailsampling

import (
	"context"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/drain"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/status"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Counts of buffered and decided traces.
type (
	// Status counts the spans and traces in the buffer, and the decisions since the start.
	Status = status.Status
	// Decided counts the decided traces by verdict.
	Decided = status.Decided
	// LateSpans counts the spans that came after their trace's decision, by verdict.
	LateSpans = status.LateSpans
	// PolicyStatus counts the decisions of one policy.
	PolicyStatus = status.PolicyStatus
)

// The explanation of a decision.
type (
	// Explanation explains the decision about a trace.
	Explanation = status.Explanation
	// Weight is the threshold of a trace, its randomness, and its adjusted count.
	Weight = status.Weight
	// Completeness says how much of a trace had arrived.
	Completeness = status.Completeness
	// PolicyVote is the vote of one policy.
	PolicyVote = status.PolicyVote
	// ShadowVerdict is the verdict of the shadow's policies.
	ShadowVerdict = status.ShadowVerdict
)

// Values of Explanation.State.
const (
	StateDecided = status.StateDecided
	StatePending = status.StatePending
	StateFaded   = status.StateFaded
	StateReading = status.StateReading
)

// Traces, spans and bytes by policy and by service.
type (
	// Amount counts traces, spans and bytes.
	Amount = status.Amount
	// Cost lists the amounts by policy and by service since the start.
	Cost = status.Cost
	// PolicyCost is the amount that a policy matched, sampled and dropped.
	PolicyCost = status.PolicyCost
	// ServiceCost is the amount received from a service, and the part of it that was kept.
	ServiceCost = status.ServiceCost
	// ShadowStatus counts the traces that the shadow would have kept.
	ShadowStatus = status.ShadowStatus
	// ShadowPolicyStatus counts the traces that a policy of the shadow would have sampled or dropped.
	ShadowPolicyStatus = status.ShadowPolicyStatus
	// Difference is a trace about which the policies and their shadow differ.
	Difference = status.Difference
	// PolicyInfo names a policy.
	PolicyInfo = version.PolicyInfo
)

// Destinations of kept traces.
type (
	// Destinations lists the state of each destination, and the traces that were refused for good.
	Destinations = status.Destinations
	// Destination is the state of delivery to one destination.
	Destination = status.Destination
	// Deliveries counts kept traces by the outcome of their delivery to a destination.
	Deliveries = status.Deliveries
	// Backlog is the amount that waits for a destination.
	Backlog = status.Backlog
	// LastAnswer is a destination's last answer.
	LastAnswer = status.LastAnswer
	// RefusedTrace is a trace that a destination refused for good.
	RefusedTrace = status.RefusedTrace
)

type (
	// DrainState counts what a draining sampler still holds. Sampler.StartDrain and Sampler.StopDrain return it.
	DrainState = drain.State
	// Undelivered counts the traces that one destination has not received.
	Undelivered = drain.Backlog
)

// Status returns the counts of buffered and decided traces.
func (p *Sampler) Status() Status { return p.view.Status() }

// Explain explains the decision about a trace. It returns false for an unknown trace.
func (p *Sampler) Explain(id [16]byte) (Explanation, bool) { return p.view.Explain(id, p.buffer.Now()) }

// Cost returns the amounts by policy and by service.
func (p *Sampler) Cost() Cost { return p.view.Cost() }

// Shadow returns the shadow's decisions. It returns false without a shadow.
func (p *Sampler) Shadow() (ShadowStatus, bool) { return p.view.Shadow() }

// Destinations returns the state of each destination, and the traces that were refused for good.
func (p *Sampler) Destinations() Destinations { return p.view.Destinations() }

// RetryRefused sends traces again that were refused for good: the one with this ID, or all of them if id is nil; to this
// destination, or to any if destination is empty. It returns their number; a trace counts once for each destination and late part.
func (p *Sampler) RetryRefused(id *[16]byte, destination string) (traces int) {
	if id == nil {
		return p.view.Output.RetryAllRefused(destination)
	}
	return p.view.Output.RetryRefused(*id, destination)
}

// Policies returns the current policies.
func (p *Sampler) Policies() Policies { return p.policies.describe() }

// Reload reads the configuration again and makes its policies and shadow the current ones. If that fails, the current
// ones stay.
func (p *Sampler) Reload(ctx context.Context) (Policies, error) { return p.policies.reload(ctx) }

// Promote makes the shadow's policies the current ones until the next reload or restart. No shadow remains.
func (p *Sampler) Promote() (Policies, error) { return p.policies.promote() }
