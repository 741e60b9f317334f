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
	"github.com/slowburn/slowburn/test/sim/internal/due"
)

// alerts is the evaluation of counts, and the receivers of notifications.
type alerts struct {
	engine    *engine.Stepped // nil while objectives are not evaluated
	root      string          // the parent of all lives' files
	directory string          // this life's files
	receivers []*receiver
	lateness  time.Duration
	due       due.History // the expected alerts, as far as they are known
	// pending are requests that were counted, or may have been, since the last flush of counts.
	pending []*request
}

// receiver is a webhook. It implements http.RoundTripper.
type receiver struct {
	w      *World
	name   string
	mood   mood
	bodies map[string]string // by key, the body that arrived under it
	keys   []string          // accepted ones, in the order of first acceptance
	done   map[string]done   // likewise by key
	told   []due.Notice      // likewise, in the order of keys
}

// done is a notification that was accepted.
type done struct {
	at  time.Time // by the clock that the gateway believed
	old bool      // evaluated since, so the outbox may have pruned it
}

// kept is the shortest time for which an outbox remembers deliveries.
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
		r.read(body)
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

// read decodes a message into a notice.
func (r *receiver) read(body []byte) {
	var m struct {
		Status       string
		CommonLabels map[string]string
		Alerts       []struct{ StartsAt, EndsAt time.Time }
	}
	if err := json.Unmarshal(body, &m); err != nil || len(m.Alerts) != 1 {
		r.w.problem("%s got what is no message of one alert: %v", r.name, err)
		return
	}
	n := due.Notice{Firing: m.Status == "firing", Severity: due.SeverityOf(m.CommonLabels["severity"]), StartsAt: m.Alerts[0].StartsAt, EndsAt: m.Alerts[0].EndsAt}
	r.w.log("%s reads %+v", r.name, n)
	r.told = append(r.told, n)
}

// fires reports whether the alert fires, by the receiver's last notification.
func (r *receiver) fires() bool { return len(r.told) > 0 && r.told[len(r.told)-1].Firing }

const ledgerFile = "slo.db"

// copyLedger copies the file as the next process finds it: with each committed transaction, and no other.
func (w *World) copyLedger() []byte {
	if w.alerts.engine == nil { // not opened yet
		return w.ledger
	}
	b, err := os.ReadFile(filepath.Join(w.alerts.directory, ledgerFile))
	if err != nil {
		w.problem("the ledger cannot be read: %v", err)
	}
	return b
}

// startEngine starts the engine on a copy of the previous process's ledger.
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
	a.lateness = cfg.Lateness
	return err
}

// stopEngine closes the file of a dead process.
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

// evaluate evaluates objectives up to the last complete minute, and attempts the due deliveries.
func (w *World) evaluate() {
	a := &w.alerts
	if a.engine == nil || w.scenario.late && w.lives == 1 && !w.healing {
		return
	}
	if look := clock.Look(); look.Stable {
		for _, r := range a.receivers {
			for key, d := range r.done {
				d.old = d.old || look.Now.Sub(d.at) >= kept
				r.done[key] = d
			}
		}
	}
	end := due.Minute(w.now().Add(-a.lateness).Unix() / 60)
	if err := a.engine.Evaluate(context.Background()); err != nil {
		w.log("the evaluation fails: %v", err)
	} else {
		a.due.End = end
	}
	w.at("evaluated")
}

// tell makes the due delivery attempts.
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

var (
	spanQuery  = regexp.MustCompile(`^\{__name__=~"(\w+)\|(\w+)"\}\[(\w+)\]$`)
	foundQuery = regexp.MustCompile(`^count\(present_over_time\((.*)\)\)$`)
)

// Query returns the samples of the objectives.
func (d *database) Query(_ context.Context, expr string, at time.Time) (model.Value, error) {
	d.w.at("query")
	if m := foundQuery.FindStringSubmatch(expr); m != nil {
		matrix, err := d.samples(m[1], at)
		if err != nil || len(matrix) == 0 {
			return model.Vector{}, err
		}
		return model.Vector{{Value: model.SampleValue(len(matrix)), Timestamp: model.TimeFromUnixNano(at.UnixNano())}}, nil
	}
	return d.samples(expr, at)
}

// samples returns the series' samples in a window that ends at a time.
func (d *database) samples(expr string, at time.Time) (model.Matrix, error) {
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
			model.MetricNameLabel: model.LabelValue(name), "objective": model.LabelValue(s.objective), "age": model.LabelValue(s.age), "series": model.LabelValue(key),
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

// QueryRange is for objectives that the simulation does not have.
func (d *database) QueryRange(context.Context, string, promv1.Range) (model.Value, error) {
	return nil, errors.New("ranges are not simulated")
}

// checkAlerts checks that the ledger has every counted event, and that each receiver got every notification, in order.
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
	w.checkMinutes()
	list, err := e.Deliveries()
	if err != nil {
		w.problem("the outbox cannot be read: %v", err)
		return
	}
	slices.Reverse(list.Deliveries) // oldest first
	for _, r := range w.alerts.receivers {
		var keys []string
		for _, d := range list.Deliveries {
			if d.Receiver != r.name {
				continue
			}
			if d.State != notify.Delivered {
				w.problem("%s was never told of %s %s, which is %s", r.name, d.Transition, d.IdempotencyKey, d.State)
			}
			if d.State == notify.Delivered {
				keys = append(keys, d.IdempotencyKey)
			}
		}
		// A believed clock that was ahead makes earlier deliveries old: the outbox keeps them for a week.
		told := slices.DeleteFunc(slices.Clone(r.keys), func(key string) bool { return r.done[key].old && !slices.Contains(keys, key) })
		if !slices.Equal(keys, told) {
			w.problem("%s was told %v, where %v was to be told", r.name, r.keys, keys)
		}
		if firing := status.Alert.State == alert.Firing; firing != r.fires() {
			w.problem("the alert is %s, and %s was told last that it fires: %v", status.Alert.State, r.name, r.fires())
		}
		w.checkDue(r)
	}
}

// counted records that all counts so far are in the database.
func (w *World) counted() {
	a := &w.alerts
	for _, r := range a.pending {
		r.counted = due.MinuteOf(w.now()) + 1
	}
	a.pending = a.pending[:0]
}

// checkDue checks that a receiver got the due notifications, by the acknowledged events. If counts were lost, or a clock shifted
// events to other minutes, the due ones are unknown.
func (w *World) checkDue(r *receiver) {
	if w.scenario.jumps || w.tally.countsLost {
		return
	}
	h := w.alerts.due
	h.Target, h.First, h.Measured = objectives[0].Target, due.MinuteOf(w.began), map[due.Minute]bool{}
	for _, s := range w.database.series {
		if s.objective == objectives[0].Name {
			for _, p := range s.samples {
				h.Measured[due.MinuteOf(p.at)] = true
			}
		}
	}
	for _, r := range w.sent {
		e := due.Events{From: min(r.tried-1, r.ended()), To: max(r.tried, r.counted), Sure: r.acked}
		for _, s := range r.spans {
			switch {
			case s.service != services[0]:
			case s.failed:
				e.Bad++
			default:
				e.Good++
			}
		}
		if r.times > 0 && e.Good+e.Bad > 0 {
			h.Events = append(h.Events, e)
		}
	}
	if err := h.Check(r.told); err != nil {
		w.problem("%s: %v", r.name, err)
	}
}
