package sli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/metadata"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// hostOf is a host with a source of objectives.
type hostOf struct{ objectives []slo.Objective }

func (h hostOf) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("slo"): h}
}
func (hostOf) Start(context.Context, component.Host) error { return nil }
func (hostOf) Shutdown(context.Context) error              { return nil }
func (h hostOf) Objectives() []slo.Objective               { return h.objectives }

// pair is both components of one sli, built as the Collector builds them.
type pair struct {
	passing, emitting connector.Traces
	set               connector.Settings
}

func newPair(t testing.TB, cfg *Config, next consumer.Traces, metrics consumer.Metrics) pair {
	if cfg == nil {
		cfg = createDefaultConfig().(*Config)
	}
	cfg.Repeats.Window = 0 // most tests repeat equal spans on purpose
	return newPairOf(t, cfg, next, metrics)
}

// newPairOf is newPair with the configured recognition of repeats.
func newPairOf(t testing.TB, cfg *Config, next consumer.Traces, metrics consumer.Metrics) pair {
	f := NewFactory()
	p := pair{set: connectortest.NewNopSettings(metadata.Type)}
	p.set.ID = component.NewID(metadata.Type) // otherwise each process has another one
	if cfg.Directory == createDefaultConfig().(*Config).Directory {
		cfg.Directory = t.TempDir()
	}
	require.NoError(t, cfg.Validate())
	var err error
	if metrics != nil {
		p.emitting, err = f.CreateTracesToMetrics(context.Background(), p.set, cfg, metrics)
		require.NoError(t, err)
	}
	if next != nil {
		p.passing, err = f.CreateTracesToTraces(context.Background(), p.set, cfg, next)
		require.NoError(t, err)
	}
	return p
}

// each calls f for the existing components in the order in which data flow.
func (p pair) each(f func(connector.Traces) error) error {
	for _, c := range []connector.Traces{p.passing, p.emitting} {
		if c != nil {
			if err := f(c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p pair) start(t testing.TB, objectives ...slo.Objective) {
	require.NoError(t, p.each(func(c connector.Traces) error {
		return c.Start(context.Background(), hostOf{objectives})
	}))
}

func (p pair) shutdown(t testing.TB) {
	require.NoError(t, p.each(func(c connector.Traces) error { return c.Shutdown(context.Background()) }))
}

// consume passes spans to both components, as a fan-out does.
func (p pair) consume(ctx context.Context, td ptrace.Traces) error {
	return p.each(func(c connector.Traces) error { return c.ConsumeTraces(ctx, td) })
}

// values reads metrics as "name{label=value,…}" and the last value of each, histograms as count, zero and buckets.
func values(all ...pmetric.Metrics) map[string]string {
	out := map[string]string{}
	for _, md := range all {
		points(md, func(name string, p point) { out[name] = p.value })
	}
	return withoutAges(out)
}

// withoutAges adds up the ages of each series of events.
func withoutAges(byAge map[string]string) map[string]string {
	out := map[string]string{}
	sums := map[string]float64{}
	for series, value := range byAge {
		name, _, isAge := strings.Cut(series, "{age=")
		if isAge {
			_, labels, _ := strings.Cut(series, ",")
			series = name + "{" + labels
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || !strings.HasPrefix(name, "slowburn.sli.") {
			out[series] = value // a histogram
			continue
		}
		sums[series] += n
		if sum := sums[series]; strings.Contains(value+out[series], ".") {
			out[series] = fmt.Sprintf("%f", sum)
		} else {
			out[series] = fmt.Sprint(int64(sum))
		}
	}
	return out
}

// point is a data point in the form that tests compare.
type point struct {
	start, at time.Time
	value     string
}

// points calls f with every data point, in order.
func points(md pmetric.Metrics, f func(series string, p point)) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Type() == pmetric.MetricTypeSum {
					for _, p := range m.Sum().DataPoints().All() {
						value := fmt.Sprint(p.IntValue())
						if p.ValueType() == pmetric.NumberDataPointValueTypeDouble {
							value = fmt.Sprintf("%f", p.DoubleValue())
						}
						f(seriesName(m.Name(), p.Attributes()), point{p.StartTimestamp().AsTime(), p.Timestamp().AsTime(), value})
					}
					continue
				}
				for _, p := range m.ExponentialHistogram().DataPoints().All() {
					value := fmt.Sprint(p.Count(), p.ZeroCount(), p.Scale(), p.Positive().Offset(), p.Positive().BucketCounts().AsRaw(), p.Sum())
					f(seriesName(m.Name(), p.Attributes()), point{p.StartTimestamp().AsTime(), p.Timestamp().AsTime(), value})
				}
			}
		}
	}
}

func seriesName(metric string, attributes pcommon.Map) string {
	var labels []string
	for k, v := range attributes.All() {
		if k == "age" && v.Str() == "0" {
			continue
		}
		labels = append(labels, k+"="+v.AsString())
	}
	slices.Sort(labels)
	return metric + "{" + strings.Join(labels, ",") + "}"
}

// shop is a set of objectives with every kind of selector.
func shop() []slo.Objective {
	availability := func(name string, sel slo.SpanSelector) slo.Objective {
		return slo.Objective{Name: name, Indicator: slo.Indicator{Type: slo.Availability, Spans: sel}}
	}
	latency := func(name string, threshold time.Duration, sel slo.SpanSelector) slo.Objective {
		return slo.Objective{Name: name, Indicator: slo.Indicator{Type: slo.Latency, Threshold: threshold, Spans: sel}}
	}
	return []slo.Objective{
		availability("everything", slo.SpanSelector{}),
		availability("checkout", slo.SpanSelector{Service: "checkout", Kind: "server"}),
		availability("orders", slo.SpanSelector{Service: "checkout", Operations: []string{"POST /orders", "GET /orders"}}),
		availability("gold", slo.SpanSelector{Attributes: map[string]string{"tier": "gold", "region": "eu"}}),
		availability("numbered", slo.SpanSelector{Attributes: map[string]string{"shard": "7"}}),
		latency("fast", 100*time.Millisecond, slo.SpanSelector{Kind: "server"}),
		latency("cart", 10*time.Millisecond, slo.SpanSelector{Service: "cart", Operations: []string{"GET /cart"}}),
		{Name: "promql", Indicator: slo.Indicator{Type: slo.PromQL, BadQuery: "1", TotalQuery: "1"}},
	}
}

// randomSpans makes spans with every attribute that shop selects by.
func randomSpans(rng *rand.Rand, n int) []slitest.Span {
	pick := func(s ...string) string { return s[rng.IntN(len(s))] }
	spans := make([]slitest.Span, n)
	for i := range spans {
		s := slitest.Span{
			Service:    pick("checkout", "cart", "frontend", ""),
			Version:    pick("1.0", "1.1", ""),
			Resource:   map[string]any{"region": pick("eu", "us")},
			Name:       pick("POST /orders", "GET /orders", "GET /cart", "poll"),
			Kind:       ptrace.SpanKind(rng.IntN(7)), // OTLP does not define 6
			Status:     ptrace.StatusCode(rng.IntN(3)),
			Duration:   time.Duration(rng.IntN(200)) * time.Millisecond,
			Attributes: map[string]any{},
			State:      pick("", "", "ot=th:8", "ot=th:c", "vendor=1"),
			Invalid:    rng.IntN(20) == 0,
		}
		switch rng.IntN(10) {
		case 0:
			s.Duration = -time.Second
		case 1:
			s.Duration = 100 * time.Millisecond // not above the threshold
		}
		if rng.IntN(2) == 0 {
			s.Attributes["tier"] = pick("gold", "silver")
		}
		if rng.IntN(4) == 0 {
			s.Attributes["region"] = pick("eu", "us") // overrides the resource's
		}
		if rng.IntN(3) == 0 {
			s.Attributes["shard"] = int64(rng.IntN(9))
		}
		switch rng.IntN(6) {
		case 0:
			s.Attributes["error.type"] = pick("timeout", strings.Repeat("long", 20))
		case 1:
			s.Attributes["http.response.status_code"] = int64(500 + rng.IntN(4))
		}
		spans[i] = s
	}
	return spans
}
