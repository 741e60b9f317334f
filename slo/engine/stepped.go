package engine

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/extension"

	"github.com/slowburn/slowburn/slo/notify"
)

// Stepped is an extension without goroutines: a simulation calls their steps. It is not safe for concurrent use.
type Stepped struct{ *Extension }

// NewStepped opens the file and shows its contents. receivers are those of the configuration, with their clients. Waits between
// attempts have no jitter.
func NewStepped(set extension.Settings, cfg *Config, querier Querier, receivers []notify.Receiver) (*Stepped, error) {
	e, err := newExtension(set, cfg)
	if err != nil {
		return nil, err
	}
	e.evaluator.querier = querier
	if err := e.open(notify.Settings{Receivers: receivers, Steady: true}); err != nil {
		return nil, err
	}
	return &Stepped{e}, nil
}

// Evaluate evaluates all minutes that ended lateness ago or earlier.
func (s *Stepped) Evaluate(ctx context.Context) error {
	return s.evaluator.evaluate(ctx, s.clock.Look())
}

// Deliver makes the attempt that is due for a receiver, if any, and returns how long to wait for the next.
func (s *Stepped) Deliver(ctx context.Context, receiver int) (time.Duration, error) {
	return notify.Step(ctx, s.sender, receiver)
}
