package otlp

import (
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
)

// factory keeps its instances, because the Collector asks for one per signal and both share the listeners. It also
// keeps the budget that all instances share.
type factory struct {
	mu        sync.Mutex
	instances map[*Config]*otlpReceiver
	budget    *intake.Budget
	set       units.Size   // the configured budget, 0 while no instance sets it
	setter    component.ID // the first instance that set it
}

// instance returns the receiver of a configuration. A receiver is removed when it shuts down.
func (f *factory) instance(set receiver.Settings, cfg *Config) (*otlpReceiver, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r, ok := f.instances[cfg]; ok {
		return r, nil
	}
	if err := f.share(set.ID, cfg); err != nil {
		return nil, err
	}
	r := &otlpReceiver{cfg: cfg, set: set, grace: shutdownGrace, budget: f.budget, forget: func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.instances, cfg)
	}}
	f.instances[cfg] = r
	return r, nil
}

// share sets the budget from the configuration. The caller holds mu.
func (f *factory) share(id component.ID, cfg *Config) error {
	if len(f.instances) == 0 {
		f.budget, f.set = intake.NewBudget(cfg.Budget()), 0
	}
	switch {
	case cfg.IntakeBudget == 0:
	case f.set == 0:
		f.set, f.setter = cfg.IntakeBudget, id
		f.budget.Resize(cfg.Budget())
	case f.set != cfg.IntakeBudget:
		return fmt.Errorf("receivers::%s::intake_budget: %s is not the %s of receivers::%s; all otlp receivers share one budget: write it once, or the same everywhere",
			id, cfg.IntakeBudget, f.set, f.setter)
	}
	return nil
}
