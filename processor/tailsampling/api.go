package tailsampling

import (
	"context"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/drain"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/status"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// What is buffered and what was decided.
type (
	// Status is what is buffered and what was decided.
	Status = status.Status
	// Decided is how many traces were decided, by verdict.
	Decided = status.Decided
	// LateSpans is how many spans came after the decision, by what it was.
	LateSpans = status.LateSpans
	// PolicyStatus is what a policy decided.
	PolicyStatus = status.PolicyStatus
)

// What is known of a decision.
type (
	// Explanation is what is known of the decision about a trace.
	Explanation = status.Explanation
	// Weight is how a trace passed, or did not, and how many it stands for.
	Weight = status.Weight
	// Completeness is what was there of a trace.
	Completeness = status.Completeness
	// PolicyVote is what one policy said.
	PolicyVote = status.PolicyVote
	// ShadowVerdict is what the shadow would have decided.
	ShadowVerdict = status.ShadowVerdict
)

// What is known of a trace: Explanation.State.
const (
	StateDecided = status.StateDecided
	StatePending = status.StatePending
	StateFaded   = status.StateFaded
	StateReading = status.StateReading
)

// What policies bring and take.
type (
	// Amount is how much of something there was.
	Amount = status.Amount
	// Cost is what policies and services bring and take, since the start.
	Cost = status.Cost
	// PolicyCost is what a policy decided.
	PolicyCost = status.PolicyCost
	// ServiceCost is what came of a service, and what of it was passed on.
	ServiceCost = status.ServiceCost
	// ShadowStatus is what the shadow would have kept.
	ShadowStatus = status.ShadowStatus
	// ShadowPolicyStatus is what a policy of the shadow would have sampled or dropped.
	ShadowPolicyStatus = status.ShadowPolicyStatus
	// Difference is a trace that only one of the two would keep.
	Difference = status.Difference
	// PolicyInfo names a policy.
	PolicyInfo = version.PolicyInfo
)

// Where kept traces go.
type (
	// Destinations is how delivery goes, and what was refused.
	Destinations = status.Destinations
	// Destination is how delivery to one destination goes.
	Destination = status.Destination
	// Deliveries is what became of kept traces on the way to a destination.
	Deliveries = status.Deliveries
	// Backlog is what waits for a destination.
	Backlog = status.Backlog
	// LastAnswer is what a destination answered last.
	LastAnswer = status.LastAnswer
	// RefusedTrace is a trace that a destination refused for good.
	RefusedTrace = status.RefusedTrace
)

type (
	// DrainState is what is left of a sampler that is drained. Sampler.StartDrain and Sampler.StopDrain return it.
	DrainState = drain.State
	// Undelivered is what a destination has not got.
	Undelivered = drain.Left
)

// Status returns what is buffered and what was decided.
func (p *Sampler) Status() Status { return p.view.Status() }

// Explain returns what is known about the decision on a trace, and false if nothing is.
func (p *Sampler) Explain(id [16]byte) (Explanation, bool) { return p.view.Explain(id, p.buffer.Now()) }

// Cost returns what each policy decided, and what came from each service and was kept of it.
func (p *Sampler) Cost() Cost { return p.view.Cost() }

// Shadow returns what the shadow would have decided, and false if there is none.
func (p *Sampler) Shadow() (ShadowStatus, bool) { return p.view.Shadow() }

// Destinations returns how the delivery of kept traces goes, and which were refused for good.
func (p *Sampler) Destinations() Destinations { return p.view.Destinations() }

// RetryRefused has a trace sent again that was refused for good, or where id is nil all that were until now: by the destination with
// this ID, or where that is empty by any. It returns how many traces that are: one for each destination and late part.
func (p *Sampler) RetryRefused(id *[16]byte, destination string) (traces int) {
	if id == nil {
		return p.view.Output.RetryAllRefused(destination)
	}
	return p.view.Output.RetryRefused(*id, destination)
}

// Policies returns the current policies.
func (p *Sampler) Policies() Policies { return p.policies.describe() }

// Reload reads the configuration again and makes its policies, and its shadow, the current ones. Where that fails, the
// policies stay as they are.
func (p *Sampler) Reload(ctx context.Context) (Policies, error) { return p.policies.reload(ctx) }

// Promote makes the shadow's policies the current ones, until the next reload or restart. There is no shadow then.
func (p *Sampler) Promote() (Policies, error) { return p.policies.promote() }
