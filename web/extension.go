package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/web/internal/doors"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/metadata"
	"github.com/slowburn/slowburn/web/internal/selfmetrics"
)

// LogStarted is the message of the line that says where the dashboard is, with field url.
const LogStarted = "dashboard and API started"

// shutdownGrace is how long Shutdown waits for requests in flight.
const shutdownGrace = 5 * time.Second

var (
	_ extension.Extension             = (*webExtension)(nil)
	_ extensioncapabilities.Dependent = (*webExtension)(nil)
	_ host.Listener                   = (*webExtension)(nil)
)

// webExtension serves the pages and the API.
type webExtension struct {
	cfg   *Config
	set   component.TelemetrySettings
	files fs.FS         // the built dashboard
	grace time.Duration // shutdownGrace

	components  known.Components
	selfMetrics *selfmetrics.Metrics
	telemetry   *metadata.TelemetryBuilder // from Start on
	server      *http.Server
	listener    net.Listener
	serving     sync.WaitGroup
}

func newExtension(set extension.Settings, cfg *Config, files fs.FS) *webExtension {
	return &webExtension{cfg: cfg, set: set.TelemetrySettings, files: files, grace: shutdownGrace, selfMetrics: selfmetrics.New()}
}

// Dependencies returns the extensions that requests pass through: they must start before this one and stop after it.
func (e *webExtension) Dependencies() []component.ID {
	var ids []component.ID
	if auth := e.cfg.HTTP.Auth.Get(); auth != nil {
		ids = append(ids, auth.Config.AuthenticatorID)
	}
	for _, m := range e.cfg.HTTP.Middlewares {
		ids = append(ids, m.ID)
	}
	return ids
}

// Start listens and serves. It returns an error if it cannot listen; later failures of the server are reported as a status,
// and do not stop the pipelines.
func (e *webExtension) Start(ctx context.Context, h component.Host) error {
	for _, warning := range e.cfg.Warnings() {
		e.set.Logger.Warn(warning)
	}
	e.components.Extensions = h.GetExtensions
	limits, err := newLimits(e.cfg.Reads, &e.components)
	if err != nil {
		return err
	}
	handler, err := newHandler(&e.components, limits, e.selfMetrics, e.files, e.cfg.BasePath, e.set.Logger)
	if err != nil {
		return err
	}
	if e.telemetry, err = newTelemetry(e.set, limits); err != nil {
		return err
	}
	guard := e.doors(h, e.countRefused)
	connections := &doors.Connections{Limit: e.cfg.MaxConnections, Logger: e.set.Logger, Refused: e.countRefused}
	handler = guard.Inner(wholeBody(e.cfg.BasePath, connections.Working(handler)))
	if auth := e.cfg.HTTP.Auth.Get(); auth != nil {
		handler = withoutParams(auth.RequestParameters, handler)
	}
	server, err := e.cfg.HTTP.ToServer(ctx, h.GetExtensions(), e.set, handler, confighttp.WithErrorHandler(refuse(&e.components, e.cfg.BasePath)))
	if err != nil {
		return err
	}
	server.Handler = securityHeaders(guard.Outer(server.Handler)) // outside, so that refusals have them and response_headers can change them
	e.limit(server, connections)
	if e.listener, err = e.cfg.HTTP.ToListener(ctx); err != nil {
		return fmt.Errorf("the dashboard cannot listen on web::endpoint %s: %w", e.cfg.HTTP.NetAddr.Endpoint, err)
	}
	e.server = server
	e.set.Logger.Info(LogStarted, zap.String("url", e.url()))
	e.serving.Go(func() {
		if err := server.Serve(e.listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(h, componentstatus.NewRecoverableErrorEvent(err))
			e.set.Logger.Error("dashboard stopped; spans and alerts go on", zap.Error(err))
		}
	})
	return nil
}

func (e *webExtension) url() string {
	scheme := "http"
	if e.cfg.HTTP.TLS.HasValue() {
		scheme = "https"
	}
	return scheme + "://" + e.listener.Addr().String() + e.cfg.BasePath + "/"
}

// Shutdown waits for requests in flight, for shutdownGrace and while ctx lasts, and then aborts them.
func (e *webExtension) Shutdown(ctx context.Context) error {
	if e.telemetry != nil {
		defer e.telemetry.Shutdown()
	}
	if e.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.grace)
	defer cancel()
	err := e.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		e.set.Logger.Warn("requests to the dashboard aborted: they had not ended in time", zap.Error(err))
		err = e.server.Close()
	}
	e.serving.Wait()
	e.selfMetrics.Close()
	return err
}

// ComponentStarted implements host.Listener.
func (e *webExtension) ComponentStarted(id component.ID, c any) { e.components.Add(id, c) }

// ComponentStopped implements host.Listener.
func (e *webExtension) ComponentStopped(id component.ID, c any) { e.components.Remove(id, c) }
