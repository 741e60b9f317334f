package selfmetrics_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/web/internal/selfmetrics"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t *testing.T, yaml string) *confmap.Conf {
	t.Helper()
	parsed, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := parsed.AsConf()
	require.NoError(t, err)
	return conf
}

func TestConfigure(t *testing.T) {
	for yaml, want := range map[string]string{
		"": "localhost:8888",
		"service: {telemetry: {metrics: {level: detailed}}}":                                                                          "localhost:8888",
		"service: {telemetry: {metrics: {level: None}}}":                                                                              "",
		"service: {telemetry: {metrics: {readers: []}}}":                                                                              "",
		"service: {telemetry: {metrics: {readers: [{periodic: {exporter: {otlp: {}}}}]}}}":                                            "",
		"service: {telemetry: {metrics: {readers: [{periodic: {}}, {pull: {exporter: {prometheus: {host: 0.0.0.0, port: 8888}}}}]}}}": "0.0.0.0:8888",
		`service: {telemetry: {metrics: {readers: [{pull: {exporter: {"prometheus/development": {host: "[::1]", port: "9"}}}}]}}}`:    "[::1]:9",
	} {
		assert.Equal(t, want, selfmetrics.New().Configure(parse(t, yaml)), yaml)
	}
	assert.Equal(t, "localhost:8888", selfmetrics.New().Configure(nil))
}

// TestServe passes a scrape on with the scraper's headers but without its credentials.
func TestServe(t *testing.T) {
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/metrics", r.URL.Path)
		assert.Equal(t, "application/openmetrics-text", r.Header.Get("Accept"))
		assert.Empty(t, r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "application/openmetrics-text; version=1.0.0")
		_, _ = w.Write([]byte("otelcol_x 1\n"))
	}))
	defer collector.Close()
	_, port, err := net.SplitHostPort(collector.Listener.Addr().String())
	require.NoError(t, err)

	m := selfmetrics.New()
	defer m.Close()
	webtest.RequireProblem(t, webtest.Get(t, m, "/metrics"), http.StatusNotFound, "http://127.0.0.1:8888/metrics by default")
	for _, host := range []string{"0.0.0.0", "127.0.0.1"} {
		m.Configure(parse(t, "service: {telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: "+host+", port: "+port+"}}}}]}}}"))
		w := webtest.Get(t, m, "/metrics", "Accept", "application/openmetrics-text", "Authorization", "Bearer secret")
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, "application/openmetrics-text; version=1.0.0", w.Header().Get("Content-Type"))
		assert.Equal(t, "otelcol_x 1\n", w.Body.String())
	}
	collector.Close()
	webtest.RequireProblem(t, webtest.Get(t, m, "/metrics"), http.StatusBadGateway, "cannot be read")
}
