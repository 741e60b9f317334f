// Package exemplars lets a component that counts spans ask the sampler behind it to keep traces: exemplars of what it
// counted, whose trace IDs then resolve.
//
// Its types are Offer, which travels in a request's context from the counting component to the sampler, Keeper, which the
// sampler accepts it with, and Fate. All may be used concurrently.
package exemplars

import (
	"context"
	"sync/atomic"

	"github.com/slowburn/slowburn/internal/wire"
)

// PolicyName stands in place of a policy for traces that are kept only as an exemplar. No policy may have it.
const PolicyName = "objective"

// MaxPerMinute is the most traces that a Keeper keeps for one objective and minute.
const MaxPerMinute = 10

// Keeper keeps traces. A sampler is one.
type Keeper interface {
	// PerMinute is the largest number of traces to keep for one objective and minute, at most MaxPerMinute; 0 is none.
	PerMinute() int
	// Keep keeps a trace of which a span was accepted, whatever the policies say; but a trace that a policy drops is dropped. It
	// waits a moment at most, and may do nothing: Fate tells.
	Keep(trace wire.TraceID)
	// Fate returns what became of a trace.
	Fate(trace wire.TraceID) Fate
}

// Fate is what became of a trace.
type Fate uint8

// The fates.
const (
	Undecided Fate = iota
	Kept
	Gone // not kept, or not known
)

type contextKey struct{}

// Offer is in the context of a request whose sender has traces to keep once the request was accepted.
type Offer struct{ keeper atomic.Pointer[Keeper] }

// NewContext returns a context with an offer.
func NewContext(ctx context.Context) (context.Context, *Offer) {
	o := new(Offer)
	return context.WithValue(ctx, contextKey{}, o), o
}

// Accept accepts the offer in a context, if there is one. Of several samplers behind a fan-out the last one keeps.
func Accept(ctx context.Context, k *Keeper) {
	if o, ok := ctx.Value(contextKey{}).(*Offer); ok {
		o.keeper.Store(k)
	}
}

// Keeper returns the keeper that accepted the offer, nil if none did.
func (o *Offer) Keeper() Keeper {
	if o == nil {
		return nil
	}
	if k := o.keeper.Load(); k != nil {
		return *k
	}
	return nil
}
