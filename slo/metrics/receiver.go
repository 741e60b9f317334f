package metrics

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/slo/engine"
)

const (
	// stateEvery is how often the state of objectives is sent that cannot be evaluated.
	stateEvery = time.Minute
	// retryEvery is the pause after a refusal.
	retryEvery = 10 * time.Second
	// sendTimeout bounds one attempt: the values of the next minute matter more.
	sendTimeout = time.Minute
	// logEvery is how often a lasting failure is logged.
	logEvery = 10 * time.Minute
)

// source is the part of the extension `slo` that the receiver needs.
type source interface {
	// Statuses returns all objectives, as of their last evaluation.
	Statuses() engine.Statuses
	// Changed returns a channel that is closed when Statuses returns something else than now.
	Changed() <-chan struct{}
	// Instance returns a name of the ledger that no other gateway has, and that outlasts restarts.
	Instance() string
}

// objectivesReceiver is the receiver `slo_metrics`.
type objectivesReceiver struct {
	config *Config
	set    receiver.Settings
	next   consumer.Metrics
	obs    *receiverhelper.ObsReport

	source source
	cancel context.CancelFunc
	loop   sync.WaitGroup

	failure atomic.Pointer[error] // of the last attempt, nil after a success
	logged  time.Time             // when a failure was last logged; the loop's
}

var (
	_ receiver.Metrics = (*objectivesReceiver)(nil)
	_ host.Prober      = (*objectivesReceiver)(nil)
	_ source           = (*engine.Extension)(nil)
)

func newReceiver(set receiver.Settings, config *Config, next consumer.Metrics) (*objectivesReceiver, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, ReceiverCreateSettings: set})
	if err != nil {
		return nil, err
	}
	return &objectivesReceiver{config: config, set: set, next: next, obs: obs}, nil
}

// Start finds the extension that evaluates objectives and begins to send. Without one there is nothing to send.
func (r *objectivesReceiver) Start(_ context.Context, h component.Host) error {
	found, ok, err := host.Find[source](h)
	if err != nil {
		return err
	}
	if !ok {
		r.set.Logger.Info("no metrics of objectives: no slo extension is in service::extensions")
		return nil
	}
	r.source = found
	host.Announce(h, r.set.ID, r)
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = func() {
		cancel()
		host.Retract(h, r.set.ID, r)
	}
	r.loop.Go(func() { r.run(ctx, newSender(r.next, found.Instance(), r.config.Sloth)) })
	return nil
}

// Shutdown stops sending.
func (r *objectivesReceiver) Shutdown(context.Context) error {
	if r.cancel != nil {
		r.cancel()
	}
	r.loop.Wait()
	return nil
}

// run sends after each evaluation, until ctx ends.
func (r *objectivesReceiver) run(ctx context.Context, s *sender) {
	for {
		changed := r.source.Changed()
		pause := stateEvery
		if err := r.send(ctx, s); err != nil {
			pause = retryEvery
		}
		timer := clock.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

func (r *objectivesReceiver) send(ctx context.Context, s *sender) error {
	operation := r.obs.StartMetricsOp(ctx)
	within, cancel := context.WithTimeout(operation, sendTimeout)
	defer cancel()
	points, err := s.send(within, r.source.Statuses().Objectives, clock.Wall())
	if ctx.Err() != nil {
		err = nil // shut down
	}
	r.obs.EndMetricsOp(operation, "slowburn", points, err)
	if err == nil {
		if r.failure.Swap(nil) != nil {
			r.logged = time.Time{}
			r.set.Logger.Info("metrics pipeline took the metrics of objectives again")
		}
		return nil
	}
	r.failure.Store(&err)
	if now := clock.Now(); r.logged.IsZero() || now.Sub(r.logged) >= logEvery {
		r.logged = now
		r.set.Logger.Warn("metrics pipeline refused the metrics of objectives, retrying with the latest values", zap.Error(err))
	}
	return err
}

// Probe implements host.Prober.
func (r *objectivesReceiver) Probe(context.Context) host.Health {
	if failure := r.failure.Load(); failure != nil {
		return host.Health{Message: fmt.Sprintf("The metrics of objectives are not stored: %v", *failure)}
	}
	return host.Health{OK: true, Message: "Budgets and burn rates are sent as metrics after each evaluation."}
}
