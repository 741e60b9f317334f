package unmatched

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/match"
)

// shop is the traffic of an hour.
var shop = traffic{
	{"checkout", "POST /orders", "server"}:      100,
	{"checkout", "GET /orders/{id}", "server"}:  900,
	{"checkout", "SELECT orders", "client"}:     50,
	{"cart", "GET /cart", "server"}:             10,
	{"busy", "GET /a", "server"}:                10,
	{"busy", other, "server"}:                   1000,
	{"worker", "orders process", "consumer"}:    5,
	{"checkout", "POST /orders/{id}", "server"}: 1,
}

func text(t *testing.T, value any) *match.Text {
	parsed, err := match.ParseText("", value)
	require.NoError(t, err)
	return &parsed
}

func TestFind(t *testing.T) {
	list := func(value any) []match.Condition {
		conditions, err := match.ParseList("", value)
		require.NoError(t, err)
		return conditions
	}
	where := func(c match.Condition) slo.Indicator {
		return slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Where: &c}}
	}
	spans := func(s slo.SpanSelector) slo.Indicator { return slo.Indicator{Type: slo.Availability, Spans: s} }
	for _, tt := range []struct {
		name   string
		in     slo.Indicator
		events uint64
		want   []string
	}{
		{"all", spans(slo.SpanSelector{}), 0, nil},
		{"another type", slo.Indicator{Type: "throughput"}, 0, nil},
		{"met", spans(slo.SpanSelector{Service: "checkout", Kind: "server", Operations: []string{"POST /orders"}}), 100, nil},
		{"a quiet service", spans(slo.SpanSelector{Service: "payment"}), 0, nil},
		{"a misspelled service", spans(slo.SpanSelector{Service: "Checkuot"}), 0,
			[]string{"There was no span of the service Checkuot in the last hour; there were spans of checkout."}},
		{"a misspelled operation", spans(slo.SpanSelector{Service: "checkout", Operations: []string{"POST /order"}}), 0,
			[]string{"No span of checkout had the operation POST /order in the last hour; it had POST /orders."}},
		{"one of two", spans(slo.SpanSelector{Service: "checkout", Operations: []string{"DELETE /users", "POST /orders"}}), 100,
			[]string{"No span of checkout had the operation DELETE /users in the last hour; it had GET /orders/{id}, POST /orders, SELECT orders and 1 more."}},
		{"a pattern", where(match.Condition{Service: text(t, []any{"checkout", "cart"}), Operation: text(t, []any{"=~GET .*", "=~PUT .*"})}), 1,
			[]string{"No span of the 2 selected services had an operation that matches PUT .* in the last hour; it had GET /orders/{id}, POST /orders, SELECT orders and 2 more."}},
		{"a pattern that names over the limit may match", where(match.Condition{Service: text(t, "busy"), Operation: text(t, "=~PUT .*")}), 0, nil},
		{"a name that has a place of its own", spans(slo.SpanSelector{Service: "busy", Operations: []string{"GET /b"}}), 0,
			[]string{"No span of busy had the operation GET /b in the last hour; it had GET /a."}},
		{"a kind", spans(slo.SpanSelector{Service: "worker", Kind: "server"}), 0,
			[]string{"No span of worker had a kind such that the kind is server in the last hour; they were consumer."}},
		{"kind and operation", spans(slo.SpanSelector{Service: "checkout", Kind: "client", Operations: []string{"POST /orders"}}), 0,
			[]string{"No span of checkout met the conditions over kind and operation together in the last hour."}},
		{"an attribute", spans(slo.SpanSelector{Service: "cart", Attributes: map[string]string{"env": "prod"}}), 0,
			[]string{"None of the spans of cart in the last hour that have the kind and the operation met the rest: env is prod."}},
		{"an attribute that some have", spans(slo.SpanSelector{Service: "cart", Attributes: map[string]string{"env": "prod"}}), 1, nil},
		{"a version", where(match.Condition{Service: text(t, "cart"), Version: text(t, "=~2.*")}), 0,
			[]string{"None of the spans of cart in the last hour that have the kind and the operation met the rest: its version matches 2.*."}},
		{"negations", where(match.Condition{Service: text(t, "!=nobody"), Operation: text(t, "!=GET /healthz"), Kind: text(t, "!=producer")}), 9, nil},
		{"an excluded operation", slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Service: "cart"},
			Exclude: list([]any{map[string]any{"operations": "GET /carts"}, map[string]any{"operations": "GET /cart", "service": "cart"}}), Bad: list("user")}, 1,
			[]string{"exclude: No span of cart had the operation GET /carts in the last hour; it had GET /cart."}},
		{"all excluded", slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Service: "cart"}, Exclude: list(map[string]any{"kind": "server"})}, 0,
			[]string{"All spans of cart in the last hour that have the kind and the operation were excluded."}},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, find(tt.in, shop, tt.events)) })
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "a", 0}, {"a", "b", 1}, {"checkout", "chekout", 1}, {"checkout", "checkuot", 2}, {"kitten", "sitting", 3}, {"a", "abcdefg", 5}} {
		assert.Equal(t, tt.want, distance(tt.a, tt.b, 4), tt)
	}
}

// database answers with one vector per time.
type database struct {
	at      map[time.Time]model.Vector
	fails   bool
	mu      sync.Mutex // guards queries
	queries []string
}

func (d *database) asked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.queries)
}

func (d *database) Query(_ context.Context, expr string, at time.Time) (model.Value, error) {
	d.mu.Lock()
	d.queries = append(d.queries, expr)
	d.mu.Unlock()
	if d.fails {
		return nil, errors.New("down")
	}
	if strings.HasPrefix(expr, "count(") {
		return model.Vector{{Value: model.SampleValue(len(d.at[at]))}}, nil
	}
	return d.at[at], nil
}

func (*database) QueryRange(context.Context, string, promv1.Range) (model.Value, error) {
	return nil, errors.New("not asked for")
}

func sample(service, operation, status string, n float64) *model.Sample {
	return &model.Sample{Metric: model.Metric{"service_name": model.LabelValue(service), "span_name": model.LabelValue(operation),
		"span_kind": "SPAN_KIND_SERVER", "status_code": model.LabelValue(status)}, Value: model.SampleValue(n)}
}

// TestTrafficOfTheHour checks that only spans of the last hour count.
func TestTrafficOfTheHour(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	d := &database{at: map[time.Time]model.Vector{
		at.Add(-time.Hour): {sample("a", "x", "UNSET", 10), sample("a", "y", "UNSET", 10), sample("a", "z", "UNSET", 10)},
		at:                 {sample("a", "x", "UNSET", 12), sample("a", "x", "ERROR", 3), sample("a", "y", "UNSET", 10), sample("a", "z", "UNSET", 1)},
	}}
	got, err := read(t.Context(), d, at)
	require.NoError(t, err)
	assert.Equal(t, traffic{{"a", "x", "server"}: 5}, got)
}

func objectives() []slo.Objective {
	return []slo.Objective{
		{Name: "o", Indicator: slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Service: "a", Operations: []string{"y"}}}},
		{Name: "unknown", Indicator: slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Service: "a", Operations: []string{"y"}}}},
		{Name: "promql", Indicator: slo.Indicator{Type: slo.PromQL}},
	}
}

// TestLook checks that findings are shown and logged once, stay while the database fails, and end when a span matches.
func TestLook(t *testing.T) {
	core, logs := observer.New(zapcore.WarnLevel)
	at := time.Unix(1_700_000_000, 0)
	d := &database{at: map[time.Time]model.Vector{at: {sample("a", "x", "UNSET", 1)}}}
	set := Settings{Querier: d, Objectives: objectives(), Logger: zap.New(core),
		Events: func(objective string) (uint64, bool) { return 0, objective == "o" }}
	var w Watcher
	assert.Empty(t, w.Of("o"))
	for _, fails := range []bool{false, true, false} {
		d.fails = fails
		w.Look(t.Context(), set, at)
		assert.Equal(t, []string{"No span of a had the operation y in the last hour; it had x."}, w.Of("o"))
		assert.Empty(t, w.Of("unknown"))
		assert.Equal(t, 1, logs.Len())
	}
	d.at[at] = append(d.at[at], sample("a", "y", "UNSET", 1))
	w.Look(t.Context(), set, at)
	assert.Empty(t, w.Of("o"))
}

// TestTooMuchIsNotRead checks that a database with too many names is asked for their number only.
func TestTooMuchIsNotRead(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	d := &database{at: map[time.Time]model.Vector{at: make(model.Vector, maxGroups+1)}}
	got, err := read(t.Context(), d, at)
	require.NoError(t, err)
	assert.Nil(t, got)
	assert.Equal(t, 1, d.asked())
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &database{fails: true}
		ctx, cancel := context.WithCancel(t.Context())
		var w Watcher
		go w.Run(ctx, Settings{Querier: d, Objectives: objectives(), Logger: zap.NewNop()})
		time.Sleep(hour - time.Second)
		synctest.Wait()
		assert.Zero(t, d.asked())
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.Equal(t, 1, d.asked())
		time.Sleep(lookEvery)
		synctest.Wait()
		assert.Equal(t, 2, d.asked())
		cancel()
		synctest.Wait()
	})
}
