package greeting

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/processor/otlp"
	"github.com/slowburn/slowburn/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// last returns the messages that a service logs from "ready" on.
func last(g *Greeting, level zapcore.Level, log func(service, component *zap.Logger)) (messages []string) {
	core, logs := observer.New(level)
	service := zap.New(core, zap.WrapCore(g.Core))
	log(service, service.With(zap.String("otelcol.component.id", "x")))
	ready := false
	for _, e := range logs.All() {
		if ready {
			messages = append(messages, e.Message)
		}
		ready = ready || e.Message == Ready
	}
	return messages
}

func TestGreeting(t *testing.T) {
	var g Greeting
	g.Data([]string{"/var/lib/slowburn", "/srv/tsdb"})
	whole := func(service, component *zap.Logger) {
		component.Info(otlp.LogListening, zap.String("protocol", "gRPC"), zap.Stringer("endpoint", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4317}))
		component.Info(otlp.LogListening, zap.String("protocol", "HTTP"), zap.Stringer("endpoint", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4318}))
		component.Info(web.LogStarted, zap.String("url", "http://127.0.0.1:8080/"))
		service.Info(Ready)
	}
	want := []string{"OTLP: gRPC on 127.0.0.1:4317, HTTP on 127.0.0.1:4318", "dashboard: http://127.0.0.1:8080/", "data: /var/lib/slowburn, /srv/tsdb"}
	assert.Equal(t, want, last(&g, zap.InfoLevel, whole))
	assert.Equal(t, want, last(&g, zap.DebugLevel, whole), "a service that starts again says it again, and once")
	assert.Empty(t, last(&g, zap.WarnLevel, whole), "who wants warnings alone gets these")
	assert.Equal(t, []string{"OTLP: nowhere, as no pipeline has a receiver otlp", "dashboard: none, as service::extensions does not have web", "data: in memory alone, which a restart loses"},
		last(new(Greeting), zap.InfoLevel, func(service, _ *zap.Logger) { service.Info(Ready) }))
}
