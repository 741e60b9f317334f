package sli

import (
	"context"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/keep"
	"github.com/slowburn/slowburn/slo/sli/internal/place"
	"github.com/slowburn/slowburn/slo/sli/internal/repeats"
)

// The types of the place where counts are kept: see package place.
type (
	// Place keeps the records of a connector.
	Place = place.Place
	// Generation is a log of a Place, behind a snapshot.
	Generation = place.Generation
	// Found is the result of recovering a Place.
	Found = place.Found
)

// Stepped is a connector without goroutines: a simulation calls their steps. It is not safe for concurrent use.
type Stepped struct {
	passing  passing
	emitting emitting
}

// StepSettings replaces the file system and chance.
type StepSettings struct {
	Objectives []slo.Objective
	// Open opens the place of counts.
	Open func() (Place, error)
	// Name returns a name that was not used before.
	Name func() string
}

// NewStepped recovers the counts of the place.
func NewStepped(set connector.Settings, cfg *Config, traces consumer.Traces, metrics consumer.Metrics, settings StepSettings) (*Stepped, error) {
	c, err := newConnector(set, cfg)
	if err != nil {
		return nil, err
	}
	c.metrics, c.passesOn = metrics, true
	c.window = repeats.New(cfg.Repeats.Window, int64(cfg.Repeats.Memory))
	c.keeper, err = keep.StartInline(keep.Settings{
		Open: settings.Open, Limits: cfg.Limits.count(), Objectives: settings.Objectives, Window: c.window, Name: settings.Name, Logger: c.set.Logger,
	})
	if err != nil {
		return nil, err
	}
	s := &Stepped{passing: passing{Connector: c, next: traces}, emitting: emitting{Connector: c}}
	s.emitting.begin()
	return s, nil
}

// ConsumeTraces passes spans through the connector.
func (s *Stepped) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	return s.passing.ConsumeTraces(ctx, td)
}

// Emit sends the counts to the metrics pipeline, if that is due.
func (s *Stepped) Emit(ctx context.Context) { s.emitting.emit(ctx) }

// SwitchLog switches to the next log, if that is due.
func (s *Stepped) SwitchLog() { keep.SwitchIfDue(s.passing.keeper) }

// ClocksOff returns the processes whose clocks are off.
func (s *Stepped) ClocksOff() []slo.ClockOff { return s.passing.ClocksOff() }

// Volatile returns why counts would not survive a crash; empty if they would.
func (s *Stepped) Volatile() string { return s.passing.Volatile() }

// Lost returns what was lost of former counts; empty if nothing was.
func (s *Stepped) Lost() string { return s.passing.Lost() }
