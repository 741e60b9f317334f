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

// Where counts are kept: see package place.
type (
	// Place keeps the records of a connector.
	Place = place.Place
	// Generation is a log in it, behind a snapshot.
	Generation = place.Generation
	// Found is what was there at the start.
	Found = place.Found
)

// Stepped is a connector whose goroutines do not run: its owner, a simulation, takes their turns. It is for one goroutine.
type Stepped struct {
	passing  passing
	emitting emitting
}

// StepSettings stand for the machine, and for chance.
type StepSettings struct {
	Objectives []slo.Objective
	// Open takes the place where counts are kept.
	Open func() (Place, error)
	// Name returns a name that was not used before.
	Name func() string
}

// NewStepped takes up the counts that are in the place.
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

// ConsumeTraces is that of the connector.
func (s *Stepped) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	return s.passing.ConsumeTraces(ctx, td)
}

// Emit hands the counts to the metrics pipeline, if that is due.
func (s *Stepped) Emit(ctx context.Context) { s.emitting.emit(ctx) }

// Look goes on to the next log, if that is due.
func (s *Stepped) Look() { keep.Look(s.passing.keeper) }

// Volatile says why counts would not survive a crash; it is empty if they would.
func (s *Stepped) Volatile() string { return s.passing.Volatile() }

// Lost says what of the counts of before was not taken up; it is empty if all were.
func (s *Stepped) Lost() string { return s.passing.Lost() }
