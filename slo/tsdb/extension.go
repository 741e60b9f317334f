package tsdb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/slo/tsdb/internal/admit"
	"github.com/slowburn/slowburn/slo/tsdb/internal/batch"
	"github.com/slowburn/slowburn/slo/tsdb/internal/metadata"
)

var (
	errNotRunning = errors.New("the time series database is not running: it has not started yet, or has been shut down")
	errRemote     = errors.New("it queries a remote Prometheus and stores nothing: " +
		"take the tsdb exporter out of the metrics pipeline and send metrics there with prometheusremotewrite")
)

// Extension is the time series database of the gateway, embedded or remote. All methods may be called concurrently;
// between Shutdown and Start they fail with an error, or over HTTP with 503.
type Extension struct {
	config    *Config
	settings  extension.Settings
	telemetry *metadata.TelemetryBuilder
	slots     *gate.Slots // of the queries of people, nil where a remote Prometheus computes them

	// closing ends what is being served when Shutdown begins.
	closing context.Context
	close   context.CancelFunc

	// mu is held for reading while something is served, so that Shutdown closes the backend when nobody uses it.
	mu      sync.RWMutex
	backend backend // nil before Start and after Shutdown, and while away

	// away is why the embedded database is not open, or must not be used, between Start and Shutdown; nil while it works.
	away    atomic.Pointer[error]
	retryAt atomic.Int64 // when to open it again, Unix ns
}

// retryOpen is how long to wait before opening a database again that could not be opened.
const retryOpen = 10 * time.Second

var (
	_ extension.Extension = (*Extension)(nil)
	_ Querier             = (*Extension)(nil)
	_ host.Prober         = (*Extension)(nil)
	_ store               = (*Extension)(nil)
)

func newExtension(settings extension.Settings, config *Config) (*Extension, error) {
	telemetry, err := metadata.NewTelemetryBuilder(settings.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	e := &Extension{config: config, settings: settings, telemetry: telemetry}
	if !config.Remote.HasValue() {
		e.slots = config.Query.slots(gate.Processors())
	}
	e.closing, e.close = context.WithCancel(context.Background())
	return e, nil
}

// Start opens the database and replays its log, or makes the client of the remote one. It moves unreadable parts of the
// database aside.
func (e *Extension) Start(ctx context.Context, h component.Host) error {
	var opened backend
	var err error
	if e.config.Remote.HasValue() {
		opened, err = newRemote(ctx, e.config, h, e.settings.TelemetrySettings, e.telemetry)
	} else {
		opened, err = openDamaged(e.config.Directory, e.settings.Logger, e.open)
	}
	if errors.Is(err, errNoRoom) { // spans are counted and sampled without it
		e.settings.Logger.Error("time series database not opened, retrying in 10s", zap.Error(err))
		e.leaveOut(err)
		return e.observe()
	}
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.backend = opened
	e.mu.Unlock()
	return e.observe()
}

func (e *Extension) open() (*embedded, error) {
	return openEmbedded(e.config, e.slots, e.settings.Logger, e.telemetry)
}

// leaveOut marks the database as away until comeBack opens it.
func (e *Extension) leaveOut(reason error) {
	e.retryAt.Store(clock.Now().Add(retryOpen).UnixNano())
	e.away.Store(&reason)
}

// comeBack opens a database that is away. It returns why the database is away if it cannot be opened, or not yet, because
// others still use it.
func (e *Extension) comeBack() error {
	away := e.away.Load()
	if away == nil {
		return nil
	}
	if !e.mu.TryLock() {
		return *away
	}
	defer e.mu.Unlock()
	if away = e.away.Load(); away == nil || e.closing.Err() != nil {
		return e.closing.Err()
	}
	broken, ok := e.backend.(*embedded)
	if !ok && clock.Now().UnixNano() < e.retryAt.Load() {
		return *away
	}
	if ok {
		e.backend = nil
		broken.abandon()
	}
	opened, err := openDamaged(e.config.Directory, e.settings.Logger, e.open)
	if err != nil {
		e.settings.Logger.Error("opening the time series database failed, retrying in 10s", zap.Error(err))
		e.leaveOut(err)
		return err
	}
	e.settings.Logger.Info("time series database opened again", zap.String("directory", e.config.Directory))
	e.backend = opened
	e.away.Store(nil)
	return nil
}

// observe registers metrics that read the open backend.
func (e *Extension) observe() error {
	value := func(read func(b backend) int64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			if !e.mu.TryRLock() { // it is being opened or closed, which may wait for this
				return nil
			}
			defer e.mu.RUnlock()
			if e.backend != nil {
				o.Observe(read(e.backend))
			}
			return nil
		}
	}
	queries := errors.Join(
		e.telemetry.RegisterExtensionTsdbRunningQueriesCallback(value(func(b backend) int64 { return b.queries().Running })),
		e.telemetry.RegisterExtensionTsdbWaitingQueriesCallback(value(func(b backend) int64 { return b.queries().Waiting })),
		e.telemetry.RegisterExtensionTsdbQueryMemoryBytesCallback(value(func(b backend) int64 { return b.queries().Reserved })),
	)
	if e.config.Remote.HasValue() {
		return queries
	}
	head := func(read func(db *embedded) int64) metric.Int64Callback {
		return value(func(b backend) int64 { return read(b.(*embedded)) })
	}
	return errors.Join(
		queries,
		e.telemetry.RegisterExtensionTsdbHeadSeriesCallback(head(func(db *embedded) int64 { return int64(db.db.Head().NumSeries()) })),
		e.telemetry.RegisterExtensionTsdbForeignSeriesCallback(head(func(db *embedded) int64 {
			_, foreign := db.census.Counts()
			return int64(foreign.Units)
		})),
		e.telemetry.RegisterExtensionTsdbMaxSeriesCallback(head(func(db *embedded) int64 { return int64(db.census.Max()) })),
	)
}

// setBack makes the database accept samples of the present again, after the clock was set back: it moves samples of the future
// aside.
func (e *Extension) setBack(now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	db, ok := e.backend.(*embedded)
	if !ok || !db.isAhead(now) { // somebody else did it
		return nil
	}
	e.backend = nil
	aside, err := db.closeAhead(now)
	if err != nil {
		return fmt.Errorf("move samples of the future aside: %w", err)
	}
	e.settings.Logger.Warn("clock set back: samples of later times were moved aside", zap.String("directory", e.config.Directory),
		zap.String("aside", aside), zap.Time("now", now))
	opened, err := e.open()
	if err != nil {
		e.leaveOut(err)
		return err
	}
	e.backend = opened
	return nil
}

// Shutdown cancels what is being served, waits for it to end, and closes the database.
func (e *Extension) Shutdown(ctx context.Context) error {
	e.close()
	closed := make(chan error, 1)
	go func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.telemetry.Shutdown()
		if e.backend == nil {
			closed <- nil
			return
		}
		err := e.backend.close()
		e.backend = nil
		closed <- err
	}()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("close the time series database: still waiting for queries to end: %w", ctx.Err())
	}
}

// enter returns the backend for one use, which leave ends, and a context that also ends when the extension shuts down.
// A use must not enter again: a waiting Shutdown would keep it out, and it the Shutdown.
func (e *Extension) enter(ctx context.Context) (_ context.Context, b backend, leave func(), err error) {
	if away := e.away.Load(); away != nil {
		return nil, nil, nil, fmt.Errorf("the time series database cannot be used now: %w", *away)
	}
	e.mu.RLock()
	if e.backend == nil {
		e.mu.RUnlock()
		return nil, nil, nil, errNotRunning
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(e.closing, func() { cancel(errNotRunning) })
	return ctx, e.backend, func() {
		stop()
		cancel(nil)
		e.mu.RUnlock()
	}, nil
}

// Query implements Querier.
func (e *Extension) Query(ctx context.Context, expr string, at time.Time) (model.Value, error) {
	ctx, b, leave, err := e.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return b.Query(ctx, expr, at)
}

// QueryRange implements Querier.
func (e *Extension) QueryRange(ctx context.Context, expr string, r promv1.Range) (model.Value, error) {
	ctx, b, leave, err := e.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return b.QueryRange(ctx, expr, r)
}

// Slots are taken by the queries of people, and by whatever else people ask of this process: together these leave a processor for
// spans. They are nil where a remote Prometheus computes the queries. Slots may be asked for before Start.
func (e *Extension) Slots() *gate.Slots { return e.slots }

// PrometheusAPI returns a handler of Prometheus' HTTP API. It expects paths that begin with /api/v1/, whatever they
// are mounted below, and may be asked for before Start. It serves what reads; nothing can be written or deleted by it.
func (e *Extension) PrometheusAPI() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, b, leave, err := e.enter(r.Context())
		if err != nil {
			writeError(w, http.StatusServiceUnavailable, errorUnavailable, err.Error())
			return
		}
		defer leave()
		b.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Probe implements host.Prober. It is never Blocking: spans are taken and counted without it.
func (e *Extension) Probe(ctx context.Context) host.Health {
	ctx, b, leave, err := e.enter(ctx)
	if err != nil {
		return host.Health{Message: err.Error()}
	}
	defer leave()
	return b.Probe(ctx)
}

// canStore implements store.
func (e *Extension) canStore() error {
	if e.config.Remote.HasValue() {
		return errRemote
	}
	return nil
}

// maxSeries implements store.
func (e *Extension) maxSeries() int { return e.config.maxSeries() }

// admit implements store.
func (e *Extension) admit(ctx context.Context, md pmetric.Metrics, naming batch.Naming, yield func(admit.Part) error) error {
	entered := ctx
	db, leave, err := e.writable(&entered)
	if err != nil {
		return err
	}
	leave() // yield enters by itself, which it must not do within another use
	return db.admit(ctx, md, naming, yield)
}

// append implements store.
func (e *Extension) append(ctx context.Context, part admit.Part, naming batch.Naming) error {
	db, leave, err := e.writable(&ctx)
	if err != nil {
		return err
	}
	defer leave()
	return db.append(ctx, part, naming)
}

// writable is enter for what needs the embedded database.
func (e *Extension) writable(ctx *context.Context) (db *embedded, leave func(), err error) {
	if err := e.comeBack(); err != nil {
		return nil, nil, err
	}
	entered, b, leave, err := e.enter(*ctx)
	if err != nil {
		return nil, nil, err
	}
	db, ok := b.(*embedded)
	if !ok {
		leave()
		return nil, nil, errRemote
	}
	if broken := db.broken.Load(); broken != nil {
		leave()
		e.away.Store(broken)
		return e.writable(ctx)
	}
	if now := clock.Wall(); db.isAhead(now) {
		leave()
		if err := e.setBack(now); err != nil {
			return nil, nil, err
		}
		return e.writable(ctx)
	}
	*ctx = entered
	return db, leave, nil
}
