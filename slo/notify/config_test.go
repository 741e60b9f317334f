package notify

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
)

func decode(t *testing.T, yaml string) (Config, error) {
	t.Helper()
	r, err := confmap.NewRetrievedFromYAML([]byte("receivers: [" + yaml + "]"))
	require.NoError(t, err)
	conf, err := r.AsConf()
	require.NoError(t, err)
	var c struct {
		Receivers []Config `mapstructure:"receivers"`
	}
	if err := conf.Unmarshal(&c); err != nil {
		return Config{}, err
	}
	return c.Receivers[0], nil
}

func TestConfigDefaults(t *testing.T) {
	c, err := decode(t, `{name: oncall, webhook: {endpoint: "http://127.0.0.1:9000/hook"}}`)
	require.NoError(t, err)
	require.NoError(t, c.Problems())
	assert.Equal(t, 10*time.Second, c.Webhook.Timeout)
	assert.Equal(t, alert.Route{Receiver: "oncall", Severities: []slo.Severity{slo.Page, slo.Ticket}, SendResolved: true}, c.Route())

	c, err = decode(t, `{name: desk, webhook: {endpoint: "https://x/", timeout: 3s, headers: {a: b}}, send_resolved: false, severities: [ticket]}`)
	require.NoError(t, err)
	require.NoError(t, c.Problems())
	assert.Equal(t, 3*time.Second, c.Webhook.Timeout)
	assert.Equal(t, alert.Route{Receiver: "desk", Severities: []slo.Severity{slo.Ticket}}, c.Route())
}

func TestBadConfigs(t *testing.T) {
	for yaml, want := range map[string]string{
		`{name: "a b", webhook: {endpoint: "http://x"}}`: `name: "a b" is no name`,
		`{name: a}`: `webhook::endpoint: "" is no URL`,
		`{name: a, webhook: {endpoint: "127.0.0.1:9000"}}`:                     "webhook::endpoint: ",
		`{name: a, webhook: {endpoint: "ftp://x"}}`:                            "webhook::endpoint: ",
		`{name: a, webhook: {endpoint: "http://x", timeout: 0s}}`:              "webhook::timeout: is not above 0",
		`{name: a, webhook: {endpoint: "http://x"}, severities: [page, warn]}`: `severities[1]: "warn" is not one of page, ticket`,
		`{name: a, webhook: {endpoint: "http://x"}, severities: []}`:           "severities: is empty",
		`{name: a, webhook: {endpoint: "http://x", headerz: {}}}`:              "webhook: unknown keys: headerz",
		`{name: a, webhook: {endpoint: "http://x"}, sendresolved: true}`:       "sendresolved",
	} {
		c, err := decode(t, yaml)
		if err == nil {
			err = c.Problems()
		}
		require.ErrorContains(t, err, want, yaml)
	}
}

// A real receiver over TLS, configured by the Collector's client settings, gets the payload that Alertmanager would send.
func TestWebhookOverTLS(t *testing.T) {
	type request struct {
		header http.Header
		body   []byte
	}
	got := make(chan request, 1)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		got <- request{r.Header, body}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer srv.Close()

	c, err := decode(t, `{name: oncall, webhook: {endpoint: "`+srv.URL+`/hook", headers: {Authorization: "Bearer abc"}}}`)
	require.NoError(t, err)
	c.Webhook.TLS.CAPem = configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))
	client, err := c.Webhook.ToClient(t.Context(), nil, componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)

	db := newDB(t)
	enqueue(t, db, "oncall", "o", alert.Ended)
	s := newSender(db, Receiver{Name: "oncall", URL: c.Webhook.Endpoint, Client: client})
	s.Start()
	defer s.Shutdown()
	r := <-got
	assert.Equal(t, "Bearer abc", r.header.Get("Authorization"))
	assert.Equal(t, "application/json", r.header.Get("Content-Type"))
	assert.Len(t, r.header.Get("Idempotency-Key"), 32)
	assert.Equal(t, r.header.Get("Idempotency-Key"), r.header.Get("webhook-id"))
	assert.NotEmpty(t, r.header.Get("webhook-timestamp"))
	assert.JSONEq(t, `{"version":"4","groupKey":"{}:{alertname=\"ErrorBudgetBurn\", objective=\"o\"}","truncatedAlerts":0,
		"status":"resolved","receiver":"oncall","groupLabels":{"alertname":"ErrorBudgetBurn","objective":"o"},
		"commonLabels":{"alertname":"ErrorBudgetBurn","objective":"o","severity":"page"},
		"commonAnnotations":{"summary":"o burns.","dashboard":"http://x/objectives/o","severity":"page"},
		"externalURL":"http://x","alerts":[{"status":"resolved",
		"labels":{"alertname":"ErrorBudgetBurn","objective":"o","severity":"page"},
		"annotations":{"summary":"o burns.","dashboard":"http://x/objectives/o","severity":"page"},
		"startsAt":"2026-03-01T12:00:00Z","endsAt":"2026-03-01T13:00:00Z",
		"generatorURL":"http://x/objectives/o","fingerprint":"`+alert.Fingerprint("o")+`"}]}`, string(r.body))
}

func TestWebhookBodies(t *testing.T) {
	a := sample("o", 1)
	m := newMessage(a, alert.Notice{Receiver: "r", Kind: alert.Fired, Severity: slo.Page}, "")
	assert.Equal(t, "firing", m.Status)
	body, err := json.Marshal(m.Alerts[0])
	require.NoError(t, err)
	assert.Contains(t, string(body), `"endsAt":"0001-01-01T00:00:00Z"`)

	// For a receiver of pages only, an alert that eased to a ticket is resolved.
	a.Severity, a.UpdatedAt = slo.Ticket, starts.Add(time.Minute)
	a.Labels["severity"] = "ticket"
	m = newMessage(a, alert.Notice{Receiver: "r", Kind: alert.Ended, Severity: slo.Page}, "")
	assert.Equal(t, "resolved", m.Status)
	assert.Equal(t, "page", m.CommonLabels["severity"])
	assert.Equal(t, starts.Add(time.Minute), m.Alerts[0].EndsAt)
	assert.Equal(t, "No longer a page. o burns.", m.CommonAnnotations["summary"])
	assert.Equal(t, "ticket", a.Labels["severity"], "the alert itself is as it was")
}
