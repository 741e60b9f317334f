// Package unmatched finds conditions of objectives that no span met for an hour although their service had traffic: a name was
// misspelled, or has changed. It reads from the time series database which services, operations and kinds the connector sli counted.
//
// Its one type is Watcher. It keeps its findings behind a pointer, and has no lock.
package unmatched

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
)

const (
	hour = time.Hour
	// lookEvery is how often conditions are looked at, after an hour.
	lookEvery = 10 * time.Minute
	// lookTimeout bounds the queries of one look.
	lookTimeout = 30 * time.Second
)

// Watcher looks for conditions that no span met. Its methods may be called concurrently, except for Run.
type Watcher struct {
	found atomic.Pointer[map[string][]string]
}

// Settings are what a Watcher needs.
type Settings struct {
	Querier    samples.Querier
	Objectives []slo.Objective
	// Events returns how many events an objective had in the last hour, and false if that is not known.
	Events func(objective string) (uint64, bool)
	Logger *zap.Logger
}

// Of returns a sentence for each condition of an objective that no span met.
func (w *Watcher) Of(objective string) []string {
	if found := w.found.Load(); found != nil {
		return (*found)[objective]
	}
	return nil
}

// Run looks every few minutes, from an hour after its start, until ctx ends.
func (w *Watcher) Run(ctx context.Context, set Settings) {
	for wait := hour; ; wait = lookEvery {
		timer := clock.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		w.Look(ctx, set, clock.Wall())
	}
}

// Look looks at the hour before a time, and logs what is new. If a query fails, the former findings stay.
func (w *Watcher) Look(ctx context.Context, set Settings, at time.Time) {
	if !slices.ContainsFunc(set.Objectives, func(o slo.Objective) bool { return o.Indicator.CountsSpans() }) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	hourly, err := read(ctx, set.Querier, at)
	if err != nil {
		set.Logger.Debug("conditions that matched nothing were not looked for, as the time series database cannot be queried", zap.Error(err))
		return
	}
	found := map[string][]string{}
	for _, o := range set.Objectives {
		if !o.Indicator.CountsSpans() {
			continue
		}
		events, known := set.Events(o.Name)
		if !known {
			continue
		}
		sentences := find(o.Indicator, hourly, events)
		if len(sentences) == 0 {
			continue
		}
		found[o.Name] = sentences
		for _, s := range sentences {
			if !slices.Contains(w.Of(o.Name), s) {
				set.Logger.Warn("a condition of an objective matched nothing", zap.String("objective", o.Name), zap.String("finding", s))
			}
		}
	}
	w.found.Store(&found)
}
