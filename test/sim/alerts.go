package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/slo/notify"
)

// alerts are what reads the counts, and who is told.
type alerts struct {
	engine    *engine.Stepped // nil where nobody evaluates
	root      string          // where the lives' files are
	directory string          // where this one's is
	receivers []*receiver
}

// receiver is a webhook. It implements http.RoundTripper.
type receiver struct {
	w      *World
	name   string
	mood   mood
	bodies map[string]string // by key, what came under it
	keys   []string          // that were accepted, in the order in which they first were
	done   map[string]done   // likewise by key
	status string            // of the alert, as it was told last
}

// done is a notification that was accepted.
type done struct {
	at  time.Time // by the clock that the gateway believed
	old bool      // it was evaluated since, and the outbox may have forgotten it
}

// kept is for how long an outbox knows at least what was delivered.
const kept = 7 * 24 * time.Hour

// RoundTrip implements http.RoundTripper.
func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	w := r.w
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	w.at("notify " + r.name)
	if w.ended() {
		return nil, errors.New("the process is dead")
	}
	key := req.Header.Get("Idempotency-Key")
	if before, again := r.bodies[key]; again && before != string(body) {
		w.problem("%s got two different messages under the key %s", r.name, key)
	}
	r.bodies[key] = string(body)
	answer := &http.Response{Status: "200 OK", StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(nil))}
	accepted := r.mood == works || r.mood == losesAnswer || r.mood == takesParts
	if accepted {
		r.done[key] = done{at: clock.Wall()}
	}
	if accepted && !slices.Contains(r.keys, key) {
		r.keys = append(r.keys, key)
		var told struct{ Status string }
		if err := json.Unmarshal(body, &told); err != nil {
			w.problem("%s got what is no message: %v", r.name, err)
		}
		r.status = told.Status
	}
	w.log("%s is told %s, and %s", r.name, key[:8], moodNames[r.mood])
	w.at("told " + r.name)
	switch r.mood {
	case works, takesParts:
		return answer, nil
	case losesAnswer, hangs:
		return nil, errors.New("connection reset")
	case refusesGateway:
		answer.Status, answer.StatusCode = "401 Unauthorized", 401
	default:
		answer.Status, answer.StatusCode = "503 Service Unavailable", 503
		answer.Header.Set("Retry-After", "7")
	}
	return answer, nil
}

const ledgerFile = "slo.db"

// copyLedger is what the next process finds of the file. A transaction that is committed is there, and no other.
func (w *World) copyLedger() []byte {
	if w.alerts.engine == nil { // it was not opened yet
		return w.ledger
	}
	b, err := os.ReadFile(filepath.Join(w.alerts.directory, ledgerFile))
	if err != nil {
		w.problem("the ledger cannot be read: %v", err)
	}
	return b
}

// startEngine starts what evaluates, on a copy of what the process before left.
func (w *World) startEngine(left []byte) error {
	a := &w.alerts
	a.directory = filepath.Join(a.root, fmt.Sprintf("life-%d", w.lives))
	if err := os.MkdirAll(a.directory, 0o700); err != nil {
		return err
	}
	if left != nil {
		if err := os.WriteFile(filepath.Join(a.directory, ledgerFile), left, 0o600); err != nil {
			return err
		}
	}
	cfg := engine.NewFactory().CreateDefaultConfig().(*engine.Config)
	var names []any
	var receivers []notify.Receiver
	for _, r := range a.receivers {
		names = append(names, map[string]any{"name": r.name, "webhook": map[string]any{"endpoint": "http://" + r.name}})
		receivers = append(receivers, notify.Receiver{Name: r.name, URL: "http://" + r.name, Client: &http.Client{Transport: r}})
	}
	err := confmap.NewFromStringMap(map[string]any{
		"directory": a.directory, "receivers": names,
		"objectives": []any{map[string]any{
			"name": objectives[0].Name, "target": 99, "min_bad_events": 1, "availability": map[string]any{"service": services[0]},
		}},
	}).Unmarshal(cfg)
	if err != nil {
		return err
	}
	a.engine, err = engine.NewStepped(extensiontest.NewNopSettings(component.MustNewType("slo")), cfg, w.database, receivers)
	return err
}

// stopEngine closes the file of a process that is dead.
func (w *World) stopEngine() {
	if w.alerts.engine == nil {
		return
	}
	if err := w.alerts.engine.Shutdown(context.Background()); err != nil {
		w.problem("the ledger cannot be closed: %v", err)
	}
	w.alerts.engine = nil
	if err := os.RemoveAll(w.alerts.directory); err != nil {
		w.problem("the ledger cannot be removed: %v", err)
	}
}

// evaluate takes the objectives to the last minute that is over, and tells receivers what is due.
func (w *World) evaluate() {
	a := &w.alerts
	if a.engine == nil {
		return
	}
	if look := clock.Look(); look.Settled {
		for _, r := range a.receivers {
			for key, d := range r.done {
				d.old = d.old || look.Now.Sub(d.at) >= kept
				r.done[key] = d
			}
		}
	}
	if err := a.engine.Evaluate(context.Background()); err != nil {
		w.log("the evaluation fails: %v", err)
	}
	w.at("evaluated")
}

// tell makes the attempts at telling receivers that are due.
func (w *World) tell() {
	if w.alerts.engine == nil {
		return
	}
	for i := range w.alerts.receivers {
		for range 20 {
			wait, err := w.alerts.engine.Deliver(context.Background(), i)
			if err != nil {
				w.problem("the outbox cannot be used: %v", err)
			}
			if w.at("attempted"); wait > 0 || err != nil || w.ended() {
				break
			}
		}
	}
}

var spanQuery = regexp.MustCompile(`^\{__name__=~"(\w+)\|(\w+)"\}\[(\w+)\]$`)

// Query answers for the samples of the objectives.
func (d *database) Query(_ context.Context, expr string, at time.Time) (model.Value, error) {
	d.w.at("query")
	m := spanQuery.FindStringSubmatch(expr)
	if m == nil {
		return nil, fmt.Errorf("%q is not simulated", expr)
	}
	window, err := slo.ParseDuration(m[3])
	if err != nil || d.broken || d.w.ended() {
		return nil, errors.Join(err, errors.New("the database is away"))
	}
	var matrix model.Matrix
	for _, key := range slices.Sorted(maps.Keys(d.series)) {
		s := d.series[key]
		name := strings.ReplaceAll(s.metric, ".", "_") + "_total"
		if name != m[1] && name != m[2] {
			continue
		}
		out := &model.SampleStream{Metric: model.Metric{
			model.MetricNameLabel: model.LabelValue(name), "objective": model.LabelValue(s.objective), "series": model.LabelValue(key),
		}}
		for _, p := range s.samples {
			if p.at.After(at.Add(-window)) && !p.at.After(at) {
				out.Values = append(out.Values, model.SamplePair{Timestamp: model.TimeFromUnixNano(p.at.UnixNano()), Value: model.SampleValue(p.value)})
			}
		}
		if len(out.Values) > 0 {
			matrix = append(matrix, out)
		}
	}
	return matrix, nil
}

// QueryRange is for objectives that are not simulated.
func (d *database) QueryRange(context.Context, string, promv1.Range) (model.Value, error) {
	return nil, errors.New("ranges are not simulated")
}

// checkAlerts looks whether the ledger has what was counted, and whether everybody was told of everything, in its order.
func (w *World) checkAlerts() {
	e := w.alerts.engine
	if e == nil {
		return
	}
	status := e.Statuses().Objectives[0]
	of := func(s *series) bool { return s.objective == objectives[0].Name }
	total, bad := w.database.sum("slowburn.sli.events", of), w.database.sum("slowburn.sli.bad_events", of)
	if !w.scenario.jumps && (float64(status.Events.Total) != total || float64(status.Events.Bad) != bad) {
		w.problem("the ledger has %d events, %d of them bad; %v and %v were counted", status.Events.Total, status.Events.Bad, total, bad)
	}
	list, err := e.Deliveries()
	if err != nil {
		w.problem("the outbox cannot be read: %v", err)
		return
	}
	slices.Reverse(list.Deliveries) // the oldest first
	for _, r := range w.alerts.receivers {
		var keys []string
		for _, d := range list.Deliveries {
			if d.Receiver != r.name {
				continue
			}
			if d.State == notify.Pending {
				w.problem("%s was never told of %s %s", r.name, d.Transition, d.IdempotencyKey)
			}
			if d.State == notify.Delivered {
				keys = append(keys, d.IdempotencyKey)
			}
		}
		// A clock that was set ahead, and believed, makes old what was delivered before: the outbox keeps it for a week.
		told := slices.DeleteFunc(slices.Clone(r.keys), func(key string) bool { return r.done[key].old && !slices.Contains(keys, key) })
		if !slices.Equal(keys, told) && !slices.ContainsFunc(list.Deliveries, func(d engine.Delivery) bool { return d.State == notify.Dead }) {
			w.problem("%s was told %v, where %v was to be told", r.name, r.keys, keys)
		}
		if firing := status.Alert.State == alert.Firing; firing != (r.status == "firing") {
			w.problem("the alert is %s, and %s was told last that it is %q", status.Alert.State, r.name, r.status)
		}
	}
}
