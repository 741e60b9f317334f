package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/host"
)

var (
	_ extension.Extension = (*webExtension)(nil)
	_ host.Listener       = (*webExtension)(nil)
)

// webExtension serves the pages and the API.
type webExtension struct {
	cfg *Config
	set component.TelemetrySettings

	components components
	server     *http.Server
	listener   net.Listener
	serving    sync.WaitGroup
}

func newExtension(set extension.Settings, cfg *Config) *webExtension {
	return &webExtension{cfg: cfg, set: set.TelemetrySettings}
}

// Start listens and serves. An address that cannot be listened on is an error; what happens to the server later is
// reported as a status, and does not stop the pipelines.
func (e *webExtension) Start(ctx context.Context, h component.Host) error {
	e.components.extensions = h.GetExtensions
	handler, err := newRouter(&e.components, e.cfg.BasePath)
	if err != nil {
		return err
	}
	if e.server, err = e.cfg.ToServer(ctx, h.GetExtensions(), e.set, handler); err != nil {
		return err
	}
	if e.listener, err = e.cfg.ToListener(ctx); err != nil {
		return fmt.Errorf("the dashboard cannot listen on web::endpoint %s: %w", e.cfg.NetAddr.Endpoint, err)
	}
	e.set.Logger.Info("Dashboard and API are up", zap.String("url", e.url()))
	e.serving.Go(func() {
		if err := e.server.Serve(e.listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(h, componentstatus.NewRecoverableErrorEvent(err))
			e.set.Logger.Error("The dashboard stopped; spans and alerts go on", zap.Error(err))
		}
	})
	return nil
}

func (e *webExtension) url() string {
	scheme := "http"
	if e.cfg.TLS.HasValue() {
		scheme = "https"
	}
	return scheme + "://" + e.listener.Addr().String() + e.cfg.BasePath + "/"
}

// Shutdown lets requests in flight end, as long as ctx allows.
func (e *webExtension) Shutdown(ctx context.Context) error {
	if e.server == nil {
		return nil
	}
	err := e.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, e.server.Close())
	}
	e.serving.Wait()
	return err
}

// ComponentStarted implements host.Listener.
func (e *webExtension) ComponentStarted(id component.ID, c any) { e.components.add(id, c) }

// ComponentStopped implements host.Listener.
func (e *webExtension) ComponentStopped(id component.ID, c any) { e.components.remove(id, c) }
