package engine

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/book"
	"github.com/slowburn/slowburn/slo/engine/internal/lost"
	"github.com/slowburn/slowburn/slo/engine/internal/metadata"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/notify"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fakeTSDB is a time series database of a few series and a few expressions.
type fakeTSDB struct {
	mu     sync.Mutex
	series map[string]*model.SampleStream
	// exprs holds expressions, by their text, and their values at a time.
	exprs   map[string]func(at time.Time) model.Value
	any     func(at time.Time) model.Value // the value of an unknown expression; nil is an error
	err     error
	queries []string
	// present hides later samples; zero shows all.
	present time.Time
	// limit is the longest range that a query may ask for; 0 is any.
	limit time.Duration
}

func newFakeTSDB() *fakeTSDB {
	return &fakeTSDB{series: map[string]*model.SampleStream{}, exprs: map[string]func(time.Time) model.Value{}}
}

// sample adds a sample to a series as the connector sli writes it. The samples of a series must be added in order.
func (f *fakeTSDB) sample(metric, objective, instance string, at time.Time, v float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := metric + objective + instance
	if f.series[key] == nil {
		f.series[key] = &model.SampleStream{Metric: model.Metric{
			"__name__": model.LabelValue(metric), "objective": model.LabelValue(objective), "instance": model.LabelValue(instance),
		}}
	}
	f.series[key].Values = append(f.series[key].Values, model.SamplePair{Timestamp: model.TimeFromUnixNano(at.UnixNano()), Value: model.SampleValue(v)})
}

// events adds one sample of both metrics.
func (f *fakeTSDB) events(objective string, at time.Time, total, bad float64) {
	f.sample(samples.TotalMetric, objective, "a", at, total)
	f.sample(samples.BadMetric, objective, "a", at, bad)
}

// forgetFrom drops samples of later times.
func (f *fakeTSDB) forgetFrom(at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.series {
		s.Values = slices.DeleteFunc(s.Values, func(p model.SamplePair) bool { return p.Timestamp.Time().After(at) })
	}
}

var (
	rangeRE = regexp.MustCompile(`^\{__name__=~"slowburn_sli_events_total\|slowburn_sli_bad_events_total"\}\[(\w+)\]$`)
	foundRE = regexp.MustCompile(`^count\(present_over_time\((.*)\)\)$`)
)

func (f *fakeTSDB) Query(_ context.Context, expr string, at time.Time) (model.Value, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.exprs[expr]; expr == lost.Query && !ok {
		return model.Vector{}, f.err
	}
	f.queries = append(f.queries, expr)
	if f.err != nil {
		return nil, f.err
	}
	if e, ok := f.exprs[expr]; ok {
		return e(at), nil
	}
	asked := foundRE.FindStringSubmatch(expr)
	if asked != nil {
		expr = asked[1]
	}
	m := rangeRE.FindStringSubmatch(expr)
	if m == nil && f.any != nil {
		return f.any(at), nil
	}
	if m == nil {
		return nil, errors.New("unknown expression " + expr)
	}
	window, err := slo.ParseDuration(m[1])
	if err != nil {
		return nil, err
	}
	if f.limit > 0 && window > f.limit {
		return nil, errors.New("too many samples")
	}
	if asked != nil {
		found := model.Vector{}
		for _, s := range f.series {
			for _, v := range s.Values {
				if t := v.Timestamp.Time(); t.After(at.Add(-window)) && !t.After(at) {
					found = model.Vector{{Value: 1}}
				}
			}
		}
		return found, nil
	}
	var matrix model.Matrix
	for _, s := range f.series {
		out := &model.SampleStream{Metric: s.Metric}
		for _, v := range s.Values {
			t := v.Timestamp.Time()
			if t.After(at.Add(-window)) && !t.After(at) && (f.present.IsZero() || !t.After(f.present)) {
				out.Values = append(out.Values, v)
			}
		}
		if len(out.Values) > 0 {
			matrix = append(matrix, out)
		}
	}
	return matrix, nil
}

func (f *fakeTSDB) QueryRange(_ context.Context, expr string, r promv1.Range) (model.Value, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.exprs[expr]; expr == lost.Query && !ok {
		return model.Matrix{}, f.err
	}
	f.queries = append(f.queries, expr)
	if f.err != nil {
		return nil, f.err
	}
	e, ok := f.exprs[expr]
	if !ok {
		return nil, errors.New("unknown expression " + expr)
	}
	streams := map[string]*model.SampleStream{}
	var matrix model.Matrix
	for at := r.Start; !at.After(r.End); at = at.Add(r.Step) {
		vector, ok := e(at).(model.Vector)
		if !ok {
			v := e(at).(*model.Scalar).Value
			vector = model.Vector{{Metric: model.Metric{}, Value: v}}
		}
		for _, s := range vector {
			key := s.Metric.String()
			if streams[key] == nil {
				streams[key] = &model.SampleStream{Metric: s.Metric}
				matrix = append(matrix, streams[key])
			}
			streams[key].Values = append(streams[key].Values, model.SamplePair{Timestamp: model.TimeFromUnixNano(at.UnixNano()), Value: s.Value})
		}
	}
	return matrix, nil
}

func (f *fakeTSDB) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// Start and Shutdown implement component.Component.
func (*fakeTSDB) Start(context.Context, component.Host) error { return nil }
func (*fakeTSDB) Shutdown(context.Context) error              { return nil }

type fakeHost map[component.ID]component.Component

func (h fakeHost) GetExtensions() map[component.ID]component.Component { return h }

func hostWith(db *fakeTSDB) fakeHost { return fakeHost{component.MustNewID("tsdb"): db} }

// parse reads a configuration as the Collector does.
func parse(t testing.TB, yaml string) *Config {
	t.Helper()
	r, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := r.AsConf()
	require.NoError(t, err)
	c := createDefaultConfig().(*Config)
	c.Directory = t.TempDir()
	require.NoError(t, conf.Unmarshal(c))
	return c
}

func created(t testing.TB, c *Config) *Extension {
	t.Helper()
	e, err := newExtension(extensiontest.NewNopSettings(metadata.Type), c)
	require.NoError(t, err)
	return e
}

// believed returns a clock that reports no doubt.
func believed(now time.Time, confirmed, stable bool) clock.State {
	return clock.State{Now: now, Machine: now, Confirmed: confirmed, Stable: stable}
}

// openAt returns an extension that is started without its goroutines: the test calls evaluate itself.
func openAt(t testing.TB, c *Config, q Querier, now time.Time) *Extension {
	t.Helper()
	e := created(t, c)
	db, err := book.Open(c.Directory+"/slo.db", nil)
	require.NoError(t, err)
	e.evaluator.querier, e.db = q, db
	e.sender = notify.NewSender(notify.Settings{DB: db})
	require.NoError(t, e.evaluator.recover(db, now))
	return e
}

func closeIt(t testing.TB, e *Extension) {
	t.Helper()
	require.NoError(t, e.Shutdown(context.Background()))
}

// minuteCounts returns an objective's events per minute from the ledger.
func minuteCounts(t testing.TB, e *Extension, name string, from, to time.Time) map[ledger.Minute]slo.Events {
	t.Helper()
	h, err := e.History(name, from, to, time.Minute)
	require.NoError(t, err)
	counts := map[ledger.Minute]slo.Events{}
	for _, p := range h.Points {
		if p.Total+p.Bad > 0 {
			counts[ledger.MinuteOf(p.Time)] = slo.Events{Total: p.Total, Bad: p.Bad}
		}
	}
	return counts
}

// told lists the deliveries, the oldest first, as "receiver objective transition key".
func told(t testing.TB, e *Extension) []string {
	t.Helper()
	d, err := e.Deliveries()
	require.NoError(t, err)
	var list []string
	for i := len(d.Deliveries) - 1; i >= 0; i-- {
		v := d.Deliveries[i]
		list = append(list, strings.Join([]string{v.Receiver, v.Objective, string(v.Transition), v.IdempotencyKey}, " "))
	}
	return list
}

func toldOf(t testing.TB, e *Extension, objective string) []string {
	t.Helper()
	return slices.DeleteFunc(told(t, e), func(s string) bool { return strings.Fields(s)[1] != objective })
}

// hanging is a database that never answers.
type hanging struct{}

func (hanging) Start(context.Context, component.Host) error { return nil }
func (hanging) Shutdown(context.Context) error              { return nil }
func (hanging) Query(ctx context.Context, _ string, _ time.Time) (model.Value, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
func (h hanging) QueryRange(ctx context.Context, expr string, _ promv1.Range) (model.Value, error) {
	return h.Query(ctx, expr, time.Time{})
}
