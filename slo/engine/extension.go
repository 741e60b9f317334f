package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/arrival"
	"github.com/slowburn/slowburn/slo/engine/internal/derive"
	"github.com/slowburn/slowburn/slo/engine/internal/metadata"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/engine/internal/unmatched"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/notify"
)

// Querier is the part of a time series database that the extension needs. The extension `tsdb` implements it.
type Querier = samples.Querier

// Extension is the extension `slo`. Its methods may be called concurrently.
type Extension struct {
	*board
	*arrival.Arrival

	config    *Config
	settings  extension.Settings
	telemetry *metadata.TelemetryBuilder
	evaluator *evaluator
	clock     *clock.Guard
	// unnotified has a sentence for each objective whose alerts reach nobody.
	unnotified []string
	// advice says how to configure a receiver; empty if one is configured.
	advice string
	// damaged says that the file was damaged or of another format version, and where it is now; nil otherwise.
	damaged atomic.Pointer[string]

	cancel context.CancelFunc
	loop   sync.WaitGroup

	// opened guards db and sender. It is held for reading while a reader uses the file.
	opened sync.RWMutex
	db     *state.DB
	sender *notify.Sender

	trouble atomic.Pointer[string] // why the last evaluation failed, nil if it did not
}

var (
	_ extension.Extension             = (*Extension)(nil)
	_ extensioncapabilities.Dependent = (*Extension)(nil)
	_ host.Prober                     = (*Extension)(nil)
	_ slo.ObjectiveSource             = (*Extension)(nil)
	_ slo.Evaluator                   = (*Extension)(nil)
	_ Reader                          = (*Extension)(nil)
)

func newExtension(set extension.Settings, config *Config) (*Extension, error) {
	objectives, err := config.load()
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	e := &Extension{board: new(board), Arrival: new(arrival.Arrival), config: config, settings: set, telemetry: telemetry, clock: clock.Process()}
	e.evaluator = &evaluator{config: config, logger: set.Logger, telemetry: telemetry, routes: config.routes(),
		board: e.board, arrival: e.Arrival, spans: spanProgress{batch: maxSpanBatch}}
	e.configured = objectives
	e.evaluator.define()
	e.unnotified, e.advice = unnotified(set.ID, objectives, e.evaluator.routes)
	window := 72 * time.Hour
	statuses := make([]Status, len(e.evaluator.objectives))
	for _, o := range objectives {
		window = max(window, o.Window)
		if o.Indicator.Type == slo.Freshness {
			window = max(window, derive.Learning/2)
		}
	}
	for i, o := range e.evaluator.objectives {
		statuses[i] = Status{Definition: describe(o), State: StateNoData, Budget: budgetOf(o.Budget(slo.Events{})),
			BurnRates: []BurnRate{}, Tiers: []Tier{}, Alert: AlertState{State: alert.Inactive}}
	}
	e.instance.Store(newInstance(set))
	e.evaluator.retention = ledger.Minutes(2 * window) // a chart of the budget over one window looks back two
	e.show(statuses)
	return e, nil
}

// Objectives implements slo.ObjectiveSource.
func (e *Extension) Objectives() []slo.Objective { return slices.Clone(e.configured) }

// Dependencies returns the database and the authenticators of receivers.
func (e *Extension) Dependencies() []component.ID {
	ids := []component.ID{e.config.TSDB}
	for _, r := range e.config.Receivers {
		if auth := r.Webhook.Auth.Get(); auth != nil && !slices.Contains(ids, auth.AuthenticatorID) {
			ids = append(ids, auth.AuthenticatorID)
		}
	}
	return ids
}

// Start opens the file, shows its contents, and begins to evaluate and to deliver.
func (e *Extension) Start(ctx context.Context, h component.Host) error {
	querier, err := host.Lookup[Querier](h, e.config.TSDB)
	if err != nil {
		return fmt.Errorf("tsdb: %w", err)
	}
	e.evaluator.querier = querier
	receivers := make([]notify.Receiver, len(e.config.Receivers))
	for i := range e.config.Receivers {
		r := &e.config.Receivers[i]
		client, err := r.Webhook.ToClient(ctx, h.GetExtensions(), e.settings.TelemetrySettings)
		if err != nil {
			return fmt.Errorf("receivers[%d] (%s): webhook: %w", i, r.Name, err)
		}
		receivers[i] = notify.Receiver{Name: r.Name, URL: r.Webhook.Endpoint, Client: client}
	}
	e.warn()
	if err := e.open(notify.Settings{Receivers: receivers}); err != nil {
		return err
	}
	if err := e.observe(); err != nil {
		return errors.Join(err, e.Shutdown(ctx))
	}
	e.sender.Start()
	run, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	e.loop.Go(func() { e.run(run) })
	e.loop.Go(func() {
		e.watcher.Run(run, unmatched.Settings{
			Querier: querier, Objectives: slices.DeleteFunc(e.Objectives(), func(o slo.Objective) bool { return o.Each.By != "" }), Events: e.lastHour, Logger: e.settings.Logger,
		})
	})
	return nil
}

// open opens the file and makes the sender of its outbox.
func (e *Extension) open(set notify.Settings) error {
	path := filepath.Join(e.config.Directory, "slo.db")
	db, err := e.load(path, e.clock.Wall())
	if errors.Is(err, state.ErrCorrupt) {
		db, err = e.startAnew(path, e.clock.Wall(), err)
	}
	if err != nil {
		return err
	}
	e.clock.NotBefore(e.evaluator.latest().Start(), "what was evaluated in "+path)
	set.DB, set.Logger, set.Attempted = db, e.settings.Logger, e.attempted
	sender := notify.NewSender(set)
	e.opened.Lock()
	e.db, e.sender = db, sender
	e.opened.Unlock()
	e.evaluator.wake = sender.Wake
	e.evaluator.jumped = e.clock.Look().Jumped
	return nil
}

// Shutdown stops evaluating and delivering, and closes the file.
func (e *Extension) Shutdown(context.Context) error {
	if e.cancel != nil {
		e.cancel()
	}
	e.loop.Wait()
	if e.sender != nil {
		e.sender.Shutdown()
	}
	e.telemetry.Shutdown()
	e.opened.Lock() // readers are done
	defer e.opened.Unlock()
	if e.db == nil {
		return nil
	}
	db := e.db
	e.db = nil
	return db.Close()
}

// view runs f in a read transaction. It returns ErrNotRunning while the file is closed.
func (e *Extension) view(f func(*bbolt.Tx) error) error {
	e.opened.RLock()
	defer e.opened.RUnlock()
	if e.db == nil {
		return ErrNotRunning
	}
	return e.db.View(f)
}

// lookEvery is how often the clock is looked at between evaluations.
const lookEvery = 5 * time.Second

// run evaluates each minute once it is lateness old, until ctx ends. Each time it reads the wall clock again. As soon as a clock that
// jumped is believed it evaluates too: that evaluation moves the watermarks, and the next one reads the minute that begins then.
func (e *Extension) run(ctx context.Context) {
	failed := false // replacing a damaged file failed
	for {
		started := clock.Now()
		look := e.clock.Look()
		err := e.evaluator.evaluate(ctx, look)
		if ctx.Err() != nil {
			return
		}
		took := clock.Since(started)
		e.report(ctx, took, err)
		if took >= evaluationTime {
			continue // there is more to do
		}
		now := e.clock.Wall()
		due := ledger.Elapsed(now.Add(-e.config.Lateness)).End().Add(e.config.Lateness)
		e.next.Store(&due)
		damaged := e.db.Damaged()
		if failed {
			damaged = nil // once a minute is often enough
		}
		failed = false
		for left := due.Sub(now); left > 0; {
			began, pause := clock.Now(), lookEvery
			if readBack(ctx, e, left) { // and then nothing for as long as that took
				pause = max(clock.Since(began), leastPause)
				left -= clock.Since(began)
			}
			pause = min(left, pause)
			timer := clock.NewTimer(pause)
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-damaged:
				timer.Stop()
				failed = !e.replace(e.clock.Wall())
				left = 0
			case <-timer.C:
				left -= pause
				if seen := e.clock.Look(); seen.Doubt == "" && (look.Doubt != "" || seen.Jumped != look.Jumped) {
					left = 0
				}
			}
		}
	}
}

// leastPause is the least pause between queries for the past of objectives.
const leastPause = 10 * time.Millisecond

// readBack makes a query for the past of an objective, and reports whether it made one.
func readBack(ctx context.Context, e *Extension, left time.Duration) bool {
	made, err := e.evaluator.readBack(ctx, left, e.clock.Wall())
	if err != nil {
		e.settings.Logger.Error("the past of an objective could not be written", zap.Error(err))
	}
	return made && err == nil
}

// Probe implements host.Prober. No problem here is Blocking: spans are accepted anyway.
func (e *Extension) Probe(context.Context) host.Health {
	problems := slices.Clone(e.unnotified)
	if d := e.damaged.Load(); d != nil {
		problems = append(problems, *d)
	}
	if t := e.trouble.Load(); t != nil {
		problems = append(problems, *t)
	}
	if b := e.beyond.Load(); b != nil {
		problems = append(problems, *b)
	}
	if full := e.room().Problem(); full != "" {
		problems = append(problems, full)
	}
	shown := e.Statuses()
	inError := 0
	message := ""
	for _, o := range shown.Objectives {
		if o.State == StateError {
			inError++
			message = o.Message
		}
	}
	if inError > 0 {
		problems = append(problems, fmt.Sprintf("%d of %d objectives cannot be evaluated: %s", inError, len(shown.Objectives), message))
	}
	if missing := e.Missing(); missing != "" && inError == 0 && e.trouble.Load() == nil {
		problems = append(problems, missing)
	}
	e.opened.RLock()
	sender := e.sender
	e.opened.RUnlock()
	if sender != nil {
		for receiver, failure := range sender.Failing() {
			problems = append(problems, fmt.Sprintf("receiver %s: %s", receiver, failure))
		}
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return host.Health{Message: strings.Join(problems, " "), Advice: e.advice}
	}
	return host.Health{OK: true, Advice: e.advice, Message: fmt.Sprintf("%d objectives are evaluated.", len(shown.Objectives))}
}
