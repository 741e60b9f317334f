package tsdb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	promapi "github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/slo/tsdb/internal/metadata"
)

// probeTimeout is how long a remote API may take to show that it answers.
const probeTimeout = 2 * time.Second

// remote is the Prometheus API of another system.
type remote struct {
	endpoint  string
	timeout   time.Duration
	api       promv1.API
	client    *http.Client
	proxy     http.Handler
	gate      *gate.Gate // of the proxy
	maxLength int        // of an expression, in bytes
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
}

func newRemote(
	ctx context.Context, config *Config, h component.Host, settings component.TelemetrySettings, telemetry *metadata.TelemetryBuilder,
) (*remote, error) {
	clientConfig := config.Remote.Get()
	endpoint, err := url.Parse(clientConfig.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("remote::endpoint is no URL: %w", err)
	}
	client, err := clientConfig.ToClient(ctx, h.GetExtensions(), settings)
	if err != nil {
		return nil, fmt.Errorf("make the HTTP client of the remote Prometheus: %w", err)
	}
	api, err := promapi.NewClient(promapi.Config{Address: clientConfig.Endpoint, Client: client})
	if err != nil {
		return nil, fmt.Errorf("make the client of the remote Prometheus: %w", err)
	}
	r := &remote{
		endpoint:  endpoint.Redacted(),
		timeout:   config.QueryTimeout,
		api:       promv1.NewAPI(api),
		client:    client,
		gate:      config.Query.gate(config.Query.slots(remoteQueries)),
		maxLength: int(config.Query.MaxLength),
		logger:    settings.Logger,
		telemetry: telemetry,
	}
	proxy := r.bounded(r.newProxy(endpoint))
	mux := newMux(func(string) http.Handler { return proxy })
	for _, p := range readPaths {
		mux.Handle("GET "+apiPrefix+"/"+p, proxy)
	}
	r.proxy = mux
	return r, nil
}

func (r *remote) queries() gate.State { return r.gate.State() }

// Query implements Querier.
func (r *remote) Query(ctx context.Context, expr string, at time.Time) (model.Value, error) {
	return r.measured(ctx, expr, func(ctx context.Context) (model.Value, promv1.Warnings, error) {
		return r.api.Query(ctx, expr, at, promv1.WithTimeout(r.timeout))
	})
}

// QueryRange implements Querier.
func (r *remote) QueryRange(ctx context.Context, expr string, rng promv1.Range) (model.Value, error) {
	return r.measured(ctx, expr, func(ctx context.Context) (model.Value, promv1.Warnings, error) {
		return r.api.QueryRange(ctx, expr, rng, promv1.WithTimeout(r.timeout))
	})
}

func (r *remote) measured(
	ctx context.Context, expr string, query func(context.Context) (model.Value, promv1.Warnings, error),
) (model.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	start := clock.Now()
	value, warnings, err := query(ctx)
	r.telemetry.ExtensionTsdbQueryDurationSeconds.Record(ctx, clock.Since(start).Seconds())
	r.telemetry.ExtensionTsdbQueries.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", remoteOutcome(err))))
	if len(warnings) > 0 {
		r.logger.Debug("remote Prometheus returned warnings", zap.String("query", expr), zap.Strings("warnings", warnings))
	}
	if err != nil {
		return nil, fmt.Errorf("query %q at %s: %w", expr, r.endpoint, err)
	}
	return value, nil
}

func remoteOutcome(err error) string {
	var e *promv1.Error
	if errors.As(err, &e) {
		switch e.Type {
		case promv1.ErrTimeout:
			return "timeout"
		case promv1.ErrCanceled:
			return "canceled"
		}
	}
	return outcomeOf(err)
}

// ServeHTTP serves Prometheus' HTTP API.
func (r *remote) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.proxy.ServeHTTP(w, req) }

// Probe implements host.Prober: it asks for what every Prometheus API can answer from nothing.
func (r *remote) Probe(ctx context.Context) host.Health {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if _, _, err := r.api.Query(ctx, "vector(1)", clock.Now()); err != nil {
		return host.Health{Message: fmt.Sprintf("the remote Prometheus at %s does not answer: %v: look at remote::endpoint, and at that system",
			r.endpoint, err)}
	}
	return host.Health{OK: true, Message: "the remote Prometheus at " + r.endpoint + " answers"}
}

func (r *remote) close() error {
	r.client.CloseIdleConnections()
	return nil
}
