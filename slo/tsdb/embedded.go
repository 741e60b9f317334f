package tsdb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	promtsdb "github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"
	"github.com/prometheus/prometheus/util/compression"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/access"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/freespace"
	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/otherformat"
	"github.com/slowburn/slowburn/slo/tsdb/internal/batch"
	"github.com/slowburn/slowburn/slo/tsdb/internal/census"
	"github.com/slowburn/slowburn/slo/tsdb/internal/formats"
	"github.com/slowburn/slowburn/slo/tsdb/internal/metadata"
	"github.com/slowburn/slowburn/slo/tsdb/internal/promlog"
	"github.com/slowburn/slowburn/slo/tsdb/internal/trim"
	"github.com/slowburn/slowburn/slo/tsdb/internal/upkeep"
)

// maxExemplars bounds the exemplars, which are in memory only, at about 100 bytes each.
const maxExemplars = 10_000

// maxTranslating is how many requests of other senders are translated at a time. Each takes the memory of a part and of its
// translation.
const maxTranslating = 2

// embedded is a Prometheus time series database within this process.
type embedded struct {
	config    *Config
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder

	db       *promtsdb.DB
	lock     *tsdbutil.DirLocker
	stats    *promtsdb.DBStats
	registry *prometheus.Registry // of Prometheus' own metrics, which /api/v1/status/tsdb reads
	engine   *engine              // of the evaluation of objectives, which waits for nobody
	gate     *gate.Gate           // of the API
	api      http.Handler
	families batch.Families
	batches  batch.Pool

	writing

	opening
	// writeError is why the last write failed, nil after a success.
	writeError atomic.Pointer[error]
	keeper
}

// opening holds what was found when the database was opened.
type opening struct {
	repaired int                 // corruptions, which were cut out
	moved    []otherformat.Moved // parts of another format version
}

// keeper runs the upkeep in the background, and knows whether the database can go on.
type keeper struct {
	loop *upkeep.Loop
	// failed is why the last round of upkeep failed, nil after a success.
	failed atomic.Pointer[error]
	// broken is why the database must be opened anew, nil while it works.
	broken atomic.Pointer[error]
}

// report records how work on the database ended.
func (e *embedded) report(err error) {
	if err == nil {
		e.failed.Store(nil)
		return
	}
	var broken *upkeep.Broken
	if errors.As(err, &broken) {
		if e.broken.CompareAndSwap(nil, &err) {
			e.logger.Error("time series database failed, opening it anew", zap.String("directory", e.config.Directory), zap.Error(err),
				zap.String("stack", broken.Stack()))
		}
		return
	}
	err = e.explainWrite(err)
	e.failed.Store(&err)
	e.logger.Error("compaction of the time series database failed, retrying in 1m", zap.Error(err))
}

// writing bounds and counts what is written.
type writing struct {
	// appending is held while samples are appended and committed. One writer at a time makes the verdict on each
	// sample at append the final one, so that all that is rejected is counted; the write-ahead log is serial anyway.
	appending chan struct{}
	// foreign has room for the requests of others that are translated at a time. The gateway's own metrics wait for appending
	// only, behind one part of a request at most.
	foreign chan struct{}
	// census counts the series in the head.
	census *census.Census
	// trimmed is how many series of other senders were left out of the head at opening.
	trimmed int
	// told is when rejections were last logged, in Unix ns.
	told atomic.Int64
	// starved is why none of the gateway's own samples was stored at the last attempt; nil if some were.
	starved atomic.Pointer[string]
	// floor is where the database stops growing.
	floor freespace.Floor
}

// openEmbedded opens or creates the database in the configured directory. People's queries take slots.
func openEmbedded(config *Config, slots *gate.Slots, logger *zap.Logger, telemetry *metadata.TelemetryBuilder) (*embedded, error) {
	e := &embedded{
		config:    config,
		logger:    logger,
		telemetry: telemetry,
		stats:     promtsdb.NewDBStats(),
		registry:  prometheus.NewRegistry(),
		gate:      config.Query.gate(slots),
		writing: writing{
			appending: make(chan struct{}, 1),
			foreign:   make(chan struct{}, maxTranslating),
			census:    census.New(config.maxSeries()),
			floor:     freespace.Floor{Directory: config.Directory, Min: int64(config.MinFreeDisk)},
		},
	}
	start := clock.Now()
	if err := os.MkdirAll(config.Directory, 0o700); err != nil {
		return nil, explainOpen(config.Directory, err)
	}
	opts := options(config)
	opts.SeriesLifecycleCallback = e.census
	var err error
	e.moved, err = formats.MoveAside(config.Directory)
	otherformat.Log(logger, e.moved, formats.Reads, lostSamples)
	if err != nil {
		return nil, explainOpen(config.Directory, err)
	}
	if e.trimmed, err = trim.Log(config.Directory, e.census.Max(), promlog.New(logger)); err != nil {
		return nil, explainOpen(config.Directory, err)
	}
	if e.trimmed > 0 {
		logger.Warn("more series than max_series on disk: the newest were left out, and their last hours are lost",
			zap.String("directory", config.Directory), zap.Int("series", e.trimmed), zap.Int("max_series", e.census.Max()))
	}
	if err := roomToOpen(config.Directory); err != nil {
		return nil, err
	}
	if err := openLocked(e, opts); err != nil {
		return nil, explainOpen(config.Directory, err)
	}
	e.repaired = int(counterValue(e.registry, "prometheus_tsdb_wal_corruptions_total") +
		counterValue(e.registry, "prometheus_tsdb_mmap_chunk_corruptions_total"))
	if err := e.count(); err != nil {
		return nil, errors.Join(explainOpen(config.Directory, err), closeLocked(e))
	}
	if newest := e.db.Head().MaxTime(); newest > 0 {
		clock.NotBefore(time.UnixMilli(newest).Add(-maxAhead), "the newest sample in "+config.Directory)
	}
	e.loop = upkeep.Start(e.db, e.floor.Check, e.report)
	e.engine = newEngine(config, config.Query.samples(), e.db, promlog.New(logger), telemetry)
	e.engine.broken = e.report
	e.api = e.routes(newPrometheusAPI(e))
	if e.repaired > 0 {
		logger.Warn("damaged time series database repaired: the last samples before it stopped may be missing",
			zap.String("directory", config.Directory), zap.Int("repairs", e.repaired))
	}
	logger.Info("time series database opened", zap.String("directory", config.Directory),
		zap.Stringer("retention", config.Retention), zap.Int("blocks", len(e.db.Blocks())),
		zap.Uint64("head_series", e.db.Head().NumSeries()), zap.Duration("took", clock.Since(start)))
	return e, nil
}

// openLocked opens the database, under its lock: Prometheus would keep that where opening it ends in a panic, which is an error here.
func openLocked(e *embedded, opts *promtsdb.Options) (err error) {
	if e.lock, err = tsdbutil.NewDirLocker(e.config.Directory, "tsdb", promlog.New(e.logger), nil); err != nil {
		return err
	}
	if err := e.lock.Lock(); err != nil {
		return err
	}
	opts.NoLockfile = true
	err = upkeep.Guard(func() (err error) {
		e.db, err = promtsdb.Open(e.config.Directory, promlog.New(e.logger), e.registry, opts, e.stats)
		return err
	})
	if err != nil {
		err = errors.Join(err, e.lock.Release())
	}
	return err
}

// closeLocked closes the database, and gives its lock back.
func closeLocked(e *embedded) error { return errors.Join(e.db.Close(), e.lock.Release()) }

func options(config *Config) *promtsdb.Options {
	o := promtsdb.DefaultOptions()
	o.RetentionDuration = time.Duration(config.Retention).Milliseconds()
	o.MaxBytes = int64(config.RetentionSize)
	// Blocks grow by compaction to a tenth of the retention, as in Prometheus, so that deleting the oldest one takes
	// little with it. (The library's default is to never compact.)
	o.MaxBlockDuration = max(o.MinBlockDuration, min(o.RetentionDuration/10, (31*24*time.Hour).Milliseconds()))
	o.OutOfOrderTimeWindow = time.Duration(config.OutOfOrderTimeWindow).Milliseconds()
	o.WALCompression = compression.Snappy
	o.EnableExemplarStorage = true
	o.MaxExemplars = maxExemplars
	upkeep.Options(o)
	return o
}

// explainOpen wraps the error of an opening, with advice.
func explainOpen(dir string, err error) error {
	advice := "check the directory; where it is moved away, an empty one is made"
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		advice = "another process has it open: stop that one, or set directory to a place of its own"
	case freespace.Advice(dir, err) != "":
		advice = freespace.Advice(dir, err)
	case access.Advice(err) != "":
		advice = access.Advice(err)
	}
	return fmt.Errorf("open the time series database in %s: %w: %s", dir, err, advice)
}

// counterValue returns a counter's value, summed over its labels.
func counterValue(registry prometheus.Gatherer, name string) float64 {
	families, err := registry.Gather()
	if err != nil {
		return 0 // only a metric that breaks its own rules
	}
	var sum float64
	for _, family := range families {
		if family.GetName() == name {
			for _, m := range family.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func (e *embedded) queries() gate.State { return e.gate.State() }

// Query implements Querier.
func (e *embedded) Query(ctx context.Context, expr string, at time.Time) (model.Value, error) {
	return e.engine.query(ctx, expr, at)
}

// QueryRange implements Querier.
func (e *embedded) QueryRange(ctx context.Context, expr string, r promv1.Range) (model.Value, error) {
	return e.engine.queryRange(ctx, expr, r)
}

// ServeHTTP serves Prometheus' HTTP API.
func (e *embedded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // a fault in a mapped file ends the request, not the process
	e.api.ServeHTTP(w, r)
}

// Probe implements host.Prober.
func (e *embedded) Probe(context.Context) host.Health {
	if reached := e.floor.Check(); reached != nil {
		return host.Health{Message: fmt.Sprintf("no samples are stored: %v", reached)}
	}
	if failed := e.writeError.Load(); failed != nil {
		return host.Health{Message: (*failed).Error()}
	}
	if failed := e.failed.Load(); failed != nil {
		return host.Health{Message: (*failed).Error()}
	}
	if why := e.starved.Load(); why != nil {
		return host.Health{Message: "Spans are counted, but no count is stored: " + *why}
	}
	message := fmt.Sprintf("%d series and %d blocks in %s, kept for %s",
		e.db.Head().NumSeries(), len(e.db.Blocks()), e.config.Directory, e.config.Retention)
	if _, foreign := e.census.Counts(); foreign.Units >= e.census.Max() {
		message += fmt.Sprintf("; other senders' series reached max_series (%d): their new series are rejected", e.census.Max())
	}
	if e.trimmed > 0 {
		message += fmt.Sprintf("; %d series of other senders, over max_series, were left out at the start", e.trimmed)
	}
	if e.repaired > 0 {
		message += fmt.Sprintf("; %d repairs at the start: the last samples before it may be missing", e.repaired)
	}
	if moved := otherformat.Message(e.moved, formats.Reads, lostSamples); moved != "" {
		message += "; " + moved
	}
	return host.Health{OK: true, Message: message}
}

// lostSamples is what is lost where files of another format version were moved aside.
const lostSamples = "samples stored in them are not queried"

// closeTime is how long closing a broken database may take: it may hold locks for ever.
const closeTime = 10 * time.Second

// abandon closes a broken database, as far as that is possible within closeTime.
func (e *embedded) abandon() {
	closed := make(chan error, 1)
	go func() { closed <- upkeep.Guard(e.close) }()
	select {
	case err := <-closed:
		if err != nil {
			e.logger.Warn("closing the broken time series database failed", zap.Error(err))
		}
	case <-clock.After(closeTime):
		e.logger.Warn("closing the broken time series database takes too long: its memory and files stay in use until the process ends")
	}
}

func (e *embedded) close() error {
	e.loop.Stop()
	if err := closeLocked(e); err != nil {
		return fmt.Errorf("close the time series database in %s: %w", e.config.Directory, err)
	}
	return nil
}
