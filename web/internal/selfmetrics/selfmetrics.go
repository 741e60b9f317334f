// Package selfmetrics serves the gateway's own metrics on the dashboard's listener, behind its authentication.
//
// The Collector's endpoint of them (service::telemetry::metrics) has a host and a port, and nothing that could ask for
// credentials. A Metrics passes scrapes on to it, so that it can stay on loopback. Goroutine-safe.
package selfmetrics

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/web/internal/rest"
)

// timeout is how long the Collector's endpoint has to answer: Prometheus' own default.
const timeout = 10 * time.Second

// Metrics serves /metrics.
type Metrics struct {
	client *http.Client
	target atomic.Pointer[string] // host:port; nil until Configure found one
}

// New returns a Metrics that knows no endpoint yet.
func New() *Metrics {
	return &Metrics{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}, Timeout: timeout}}
}

// Close closes idle connections.
func (m *Metrics) Close() { m.client.CloseIdleConnections() }

// Configure takes the Collector's configuration, and returns the host and port on which it serves metrics; "" where it does not.
func (m *Metrics) Configure(conf *confmap.Conf) (address string) {
	address = Endpoint(conf)
	if address == "" {
		m.target.Store(nil)
		return ""
	}
	host, port, _ := net.SplitHostPort(address)
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() { // every interface, loopback among them
		host = "127.0.0.1"
		if ip.To4() == nil {
			host = "::1"
		}
	}
	target := net.JoinHostPort(host, port)
	m.target.Store(&target)
	return address
}

// Endpoint returns where the Collector serves its metrics, host:port, by its configuration or, where that does not say, by its default; "" where it does not
// serve any.
func Endpoint(conf *confmap.Conf) string {
	const metrics, usual = "service::telemetry::metrics", "localhost:8888"
	if conf == nil {
		return usual
	}
	if strings.EqualFold(fmt.Sprint(conf.Get(metrics+"::level")), "none") {
		return ""
	}
	readers, ok := conf.Get(metrics + "::readers").([]any)
	if !ok {
		return usual
	}
	for _, reader := range readers {
		pull := confmap.NewFromStringMap(mapOf(mapOf(reader)["pull"]))
		for name, exporter := range mapOf(pull.Get("exporter")) {
			if strings.HasPrefix(name, "prometheus") {
				e := mapOf(exporter)
				return net.JoinHostPort(strings.Trim(orElse(e["host"], "localhost"), "[]"), orElse(e["port"], "9464"))
			}
		}
	}
	return ""
}

func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// orElse returns a value as text, or absent if it is nil.
func orElse(v any, absent string) string {
	if v == nil {
		return absent
	}
	return fmt.Sprint(v)
}

// forwarded are the request headers that select the format of metrics and the timeout.
var forwarded = []string{"Accept", "X-Prometheus-Scrape-Timeout-Seconds"}

// ServeHTTP passes a scrape on.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := m.target.Load()
	if target == nil {
		rest.WriteProblem(w, http.StatusNotFound, "The gateway serves no metrics of its own: service::telemetry::metrics has no Prometheus reader, which "+
			"is at http://127.0.0.1:8888/metrics by default.")
		return
	}
	answer, err := m.ask(r.Context(), *target, r.Header)
	if err != nil {
		rest.WriteProblem(w, http.StatusBadGateway, "The gateway's own metrics at %s (service::telemetry::metrics) cannot be read: %v.", *target, err)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body) // fails only where one of the two has gone: the scrape is cut short
}

func (m *Metrics) ask(ctx context.Context, target string, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+target+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	for _, name := range forwarded {
		if v := header.Get(name); v != "" {
			request.Header.Set(name, v)
		}
	}
	return m.client.Do(request)
}
