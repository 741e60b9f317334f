package engine

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/metadata"
	"github.com/slowburn/slowburn/slo/notify"
)

func TestDefaultConfig(t *testing.T) {
	c := createDefaultConfig().(*Config)
	require.NoError(t, confmap.Validate(c))
	assert.Equal(t, &Config{Directory: "slowburn-data", TSDB: component.MustNewID("tsdb"), Lateness: 15 * time.Second, LateWindow: 15 * time.Minute, MaxSize: 1 << 30}, c)
	assert.Equal(t, "http://127.0.0.1:8080/#/objectives/a", c.link("a"))
	c.ExternalURL = "https://slowburn.example.com/"
	assert.Equal(t, "https://slowburn.example.com/#/objectives/a", c.link("a"))
}

func TestBadConfigs(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bad.yaml"), []byte("objectives: [{name: x, target: 99}]"), 0o600))
	for yaml, want := range map[string]string{
		`directory: ""`:                                 "directory: is empty",
		`external_url: localhost`:                       `external_url: "localhost" is no URL`,
		`lateness: -1s`:                                 "lateness: -1s is not from 0s to 10m0s",
		`max_size: 1MiB`:                                "max_size: 1MiB is too little; write at least 16MiB",
		`lateness: 1h`:                                  "lateness: 1h0m0s is not",
		`objectives: [{name: x, target: 99}]`:           "objectives[0] (x): has 0 of availability",
		`files: [` + dir + `/*.yml]`:                    "files[0]: no file matches",
		`files: [` + dir + `/*.yaml]`:                   "bad.yaml: objectives[0] (x): has 0 of",
		`receivers: [{name: a}]`:                        "receivers[0] (a): webhook::endpoint",
		`receivers: [{name: a, sendresolved: true}]`:    "receivers[0] (a): unknown keys: sendresolved",
		`receivers: [{name: a, webhook: {endpont: x}}]`: "receivers[0] (a): webhook: unknown keys: endpont",
		`receivers: [{name: a}, {name: a}]`:             `receivers[1]::name: "a" is taken`,
		`objectives: [{name: x, tagret: 99}]`:           "objectives[0] (x): unknown keys: tagret",
		`objectives: [{name: x, target: 99, availability: {}, receivers: [nobody]}]`: `objectives "x"::receivers: there is no receiver "nobody"`,
	} {
		require.ErrorContains(t, confmap.Validate(parse(t, yaml)), want, yaml)
	}
}

// Each line of an error about receivers names the receiver, and contains no Go type.
func TestReceiversAreNamedInEachLine(t *testing.T) {
	err := confmap.Validate(parse(t, `receivers: [{name: oncall, webhook: {timeout: 0s}, severities: [warn]}, {name: desk, colour: red}]`))
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	assert.Len(t, lines, 4, err)
	for _, line := range lines {
		assert.Regexp(t, `^receivers\[(0\] \(oncall|1\] \(desk)\): `, line)
		assert.NotContains(t, line, "notify.")
	}
}

func TestDependencies(t *testing.T) {
	c := parse(t, `
tsdb: tsdb/other
receivers:
  - {name: a, webhook: {endpoint: "http://x", auth: {authenticator: bearertokenauth}}}
  - {name: b, webhook: {endpoint: "http://x", auth: {authenticator: bearertokenauth}}}
  - {name: c, webhook: {endpoint: "http://x"}}`)
	assert.Equal(t, []component.ID{component.MustNewIDWithName("tsdb", "other"), component.MustNewID("bearertokenauth")}, created(t, c).Dependencies())
}

func TestStartErrors(t *testing.T) {
	c := parse(t, `receivers: [{name: a, webhook: {endpoint: "http://x", tls: {ca_file: /nowhere}}}]`)
	e := created(t, c)
	require.ErrorContains(t, e.Start(t.Context(), componenttest.NewNopHost()), `tsdb: no extension "tsdb" is running`)
	require.ErrorContains(t, e.Start(t.Context(), hostWith(newFakeTSDB())), "receivers[0] (a): webhook: ")
	closeIt(t, e)

	c = parse(t, ``)
	c.Directory = filepath.Join(c.Directory, "file")
	require.NoError(t, os.WriteFile(c.Directory, nil, 0o600))
	e = created(t, c)
	require.ErrorContains(t, e.Start(t.Context(), hostWith(newFakeTSDB())), "slo.db")
	closeIt(t, e)
}

func TestReaderWithoutStart(t *testing.T) {
	e := created(t, parse(t, twoObjectives))
	_, err := e.Alerts()
	require.ErrorIs(t, err, ErrNotRunning)
	_, err = e.Deliveries()
	require.ErrorIs(t, err, ErrNotRunning)
	_, err = e.History("a", noon, noon, time.Minute)
	require.ErrorIs(t, err, ErrNotRunning)
	assert.Len(t, e.Objectives(), 2)
	s, ok := e.Status("a")
	require.True(t, ok)
	assert.Equal(t, StateNoData, s.State)
	closeIt(t, e)
}

// The loop evaluates each minute when the minute and lateness are over, and at no other time.
func TestLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newFakeTSDB()
		e := created(t, parse(t, twoObjectives))
		time.Sleep(20 * time.Second)
		require.NoError(t, e.Start(t.Context(), hostWith(db)))
		start := time.Now().Truncate(time.Minute).UTC()
		synctest.Wait()
		assert.Nil(t, e.Statuses().EvaluatedUntil)
		for i := range 5 {
			assert.Equal(t, start.Add(time.Duration(i+1)*time.Minute+15*time.Second), *e.Statuses().NextEvaluation)
			db.events("a", start.Add(time.Duration(i)*time.Minute+30*time.Second), float64(10*i), 0)
			time.Sleep(time.Until(start.Add(time.Duration(i+1)*time.Minute + 15*time.Second)))
			synctest.Wait()
			assert.Equal(t, start.Add(time.Duration(i+1)*time.Minute), *e.Statuses().EvaluatedUntil)
			time.Sleep(59 * time.Second)
			synctest.Wait()
			assert.Len(t, db.queries, i+1)
		}
		s, _ := e.Status("a")
		assert.Equal(t, Events{Total: 40}, s.Events)
		assert.True(t, e.Probe(t.Context()).OK)
		closeIt(t, e)
		closeIt(t, e)
	})
}

// A shutdown during a query is prompt, and puts no objective in error.
func TestShutdownDuringQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := created(t, parse(t, twoObjectives))
		require.NoError(t, e.Start(t.Context(), fakeHost{component.MustNewID("tsdb"): hanging{}}))
		time.Sleep(76 * time.Second)
		before := time.Now()
		closeIt(t, e)
		assert.Equal(t, before, time.Now())
		s, _ := e.Status("a")
		assert.Equal(t, StateNoData, s.State)
	})
}

// A query that hangs times out, and is reported.
func TestQueryTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := created(t, parse(t, twoObjectives))
		require.NoError(t, e.Start(t.Context(), fakeHost{component.MustNewID("tsdb"): hanging{}}))
		time.Sleep(75*time.Second + queryTimeout)
		synctest.Wait()
		s, _ := e.Status("a")
		assert.Equal(t, StateError, s.State)
		assert.Contains(t, s.Message, "deadline exceeded")
		closeIt(t, e)
	})
}

// From samples to a real receiver: an outage and its end are notified, across a restart.
func TestAlertReachesReceiver(t *testing.T) {
	type hook struct {
		Status string `json:"status"`
		key    string
	}
	hooks := make(chan hook, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		h := hook{key: r.Header.Get("Idempotency-Key")}
		assert.NoError(t, json.Unmarshal(body, &h))
		hooks <- h
	}))
	defer srv.Close()
	c := parse(t, `
objectives: [{name: a, target: 99, availability: {}, tiers: [{severity: page, long_window: 1h, short_window: 5m, budget: 2}]}]
receivers: [{name: oncall, webhook: {endpoint: "`+srv.URL+`"}}]
lateness: 0s`)
	db := newFakeTSDB()
	now := time.Now().Truncate(time.Minute)
	var total, bad float64
	for m := -100; m <= 0; m++ {
		total += 100
		if m > -60 && m <= -30 {
			bad += 90
		}
		db.events("a", now.Add(time.Duration(m)*time.Minute), total, bad)
	}
	e := openAt(t, c, db, now.Add(-100*time.Minute))
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(now.Add(-40*time.Minute), true, true)))
	require.Len(t, told(t, e), 1, "written, and not yet sent")
	want := strings.Fields(told(t, e)[0])[3]
	closeIt(t, e)

	e = created(t, c)
	require.NoError(t, e.Start(t.Context(), hostWith(db)))
	defer closeIt(t, e)
	firing, resolved := <-hooks, <-hooks
	assert.Equal(t, "firing", firing.Status)
	assert.Equal(t, want, firing.key)
	assert.Equal(t, "resolved", resolved.Status)
	require.Eventually(t, func() bool {
		d, err := e.Deliveries()
		require.NoError(t, err)
		return len(d.Deliveries) == 2 && d.Deliveries[0].State == notify.Delivered
	}, time.Minute, time.Millisecond)
	d, err := e.Deliveries()
	require.NoError(t, err)
	assert.NotNil(t, d.Deliveries[0].DeliveredAt)
	assert.Nil(t, d.Deliveries[0].NextAttemptAt)
	alerts, err := e.Alerts()
	require.NoError(t, err)
	require.Len(t, alerts.Alerts, 1)
	assert.Equal(t, alert.Resolved, alerts.Alerts[0].State)
	assert.Equal(t, now.Add(-25*time.Minute).UTC(), *alerts.Alerts[0].EndsAt)
}

// A receiver that is down neither makes the extension unready nor blocks it.
func TestProbeNamesFailingReceivers(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "never heard of it", http.StatusGone) }))
	defer srv.Close()
	c := parse(t, `
objectives: [{name: a, target: 99, availability: {}}]
receivers: [{name: oncall, webhook: {endpoint: "`+srv.URL+`"}}]`)
	db := newFakeTSDB()
	burn(db, "a", 8, 100, func(int) float64 { return 1 })
	e := openAt(t, c, db, noon)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(9*time.Minute), true, true)))
	closeIt(t, e)
	e = created(t, c)
	require.NoError(t, e.Start(t.Context(), hostWith(newFakeTSDB())))
	defer closeIt(t, e)
	var h host.Health
	require.Eventually(t, func() bool { h = e.Probe(t.Context()); return strings.Contains(h.Message, "receiver ") }, time.Minute, time.Millisecond)
	assert.False(t, h.Blocking)
	assert.Contains(t, h.Message, "receiver oncall: oncall answered 410")
	require.Eventually(t, func() bool {
		d, err := e.Deliveries()
		require.NoError(t, err)
		return !slices.ContainsFunc(d.Deliveries, func(d Delivery) bool { return d.State != notify.Dead })
	}, time.Minute, time.Millisecond)
}

func TestFactory(t *testing.T) {
	e, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), parse(t, twoObjectives))
	require.NoError(t, err)
	require.NoError(t, e.Shutdown(t.Context()))
	_, err = NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), parse(t, "files: [nothing.yaml]"))
	require.ErrorContains(t, err, `there is no file "nothing.yaml"`)
}
