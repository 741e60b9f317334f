package web

import (
	"context"
	"net"
	"net/http"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/web/internal/doors"
)

// maxStreams is how many requests one HTTP/2 connection may have in flight.
const maxStreams = 64

var _ extensioncapabilities.ConfigSnapshotWatcher = (*webExtension)(nil)

// linked is an extension that has the external URL of the dashboard.
type linked interface {
	// ExternalURL returns the beginning of links to the dashboard; empty if it is not configured.
	ExternalURL() string
}

// doors returns the Doors of the configuration. The names of the listener and of external_url are known without being listed.
func (e *webExtension) doors(h component.Host, refused func(context.Context, doors.Reason)) *doors.Doors {
	s := doors.Settings{Base: e.cfg.BasePath, Operators: e.cfg.Operators, Logger: e.set.Logger, Refused: refused, MaxRequests: int64(e.cfg.MaxConnections)}
	hosts := e.cfg.Hosts
	if name, _, err := net.SplitHostPort(e.cfg.HTTP.NetAddr.Endpoint); err == nil {
		hosts = append(hosts[:len(hosts):len(hosts)], name)
	}
	for _, ext := range h.GetExtensions() {
		if l, ok := ext.(linked); ok && l.ExternalURL() != "" {
			s.External = append(s.External, l.ExternalURL())
			hosts = append(hosts[:len(hosts):len(hosts)], doors.HostOf(l.ExternalURL()))
		}
	}
	s.Hosts = doors.NewHosts(hosts...)
	if cors := e.cfg.HTTP.CORS.Get(); cors != nil {
		s.Origins = cors.AllowedOrigins
	}
	if auth := e.cfg.HTTP.Auth.Get(); auth != nil {
		s.Auth = auth.Config.AuthenticatorID.String()
	}
	return doors.New(s)
}

// limit bounds the resources that clients can occupy.
func (e *webExtension) limit(server *http.Server, connections *doors.Connections) {
	server.ConnContext, server.ConnState = connections.Context, connections.State
	server.MaxHeaderBytes = int(e.cfg.MaxHeaderSize)
	server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: maxStreams}
}

// countRefused counts a refused request.
func (e *webExtension) countRefused(ctx context.Context, r doors.Reason) {
	e.telemetry.ExtensionWebRefusedRequests.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", string(r))))
}

// NotifyConfigSnapshot implements extensioncapabilities.ConfigSnapshotWatcher: it configures the source of the gateway's own metrics.
func (e *webExtension) NotifyConfigSnapshot(_ context.Context, snapshot extensioncapabilities.ConfigSnapshot) error {
	address := e.selfMetrics.Configure(snapshot.Effective())
	if warning := e.cfg.unguarded(address); warning != "" {
		e.set.Logger.Warn(warning, zap.String("address", address))
	}
	return nil
}
