package cost

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/protobuf/encoding/protowire"
)

// in wraps a body in nested fields, the innermost last.
func in(body []byte, fields ...protowire.Number) []byte {
	for i := len(fields) - 1; i >= 0; i-- {
		body = protowire.AppendBytes(protowire.AppendTag(nil, fields[i], protowire.BytesType), body)
	}
	return body
}

// many repeats an element up to about 300 KB.
func many(element []byte) []byte {
	return []byte(strings.Repeat(string(element), 300_000/len(element)))
}

// hostile are requests with as many elements as their bytes allow.
func hostile() map[string][]byte {
	empty := func(fields ...protowire.Number) []byte {
		last := len(fields) - 1
		return in(many(in(nil, fields[last])), fields[:last]...)
	}
	attribute := in(in([]byte("v"), 1), 2)
	return map[string][]byte{
		"resources": empty(1), "scopes": empty(1, 2), "deprecated scopes": empty(1, 1000), "metrics or spans": empty(1, 2, 2),
		"resource attributes": empty(1, 1, 1), "entities": empty(1, 1, 3), "keys of entities": empty(1, 1, 3, 3),
		"scope attributes": empty(1, 2, 1, 3), "gauges": empty(1, 2, 2, 5), "points of a gauge": empty(1, 2, 2, 5, 1),
		"points of a sum": empty(1, 2, 2, 7, 1), "points of a histogram": empty(1, 2, 2, 9, 1),
		"points of an exponential histogram": empty(1, 2, 2, 10, 1), "points of a summary": empty(1, 2, 2, 11, 1),
		"exemplars": empty(1, 2, 2, 5, 1, 5), "exemplars of a histogram": empty(1, 2, 2, 9, 1, 8), "quantiles": empty(1, 2, 2, 11, 1, 6),
		"attributes of a point": empty(1, 2, 2, 5, 1, 7), "attributes of an exemplar": empty(1, 2, 2, 5, 1, 5, 7),
		"values":          in(many(in(nil, 1)), 1, 2, 2, 5, 1, 7, 2, 5),
		"lists":           in(many(in(nil, 1)), 1, 2, 2, 5, 1, 7, 2, 6),
		"texts":           in(many(attribute), 1, 2, 2, 5, 1, 7),
		"metadata":        empty(1, 2, 2, 12),
		"packed buckets":  in(make([]byte, 300_000), 1, 2, 2, 10, 1, 8, 2),
		"buckets":         in(many([]byte{2 << 3, 0}), 1, 2, 2, 10, 1, 8),
		"explicit bounds": in(make([]byte, 300_000), 1, 2, 2, 9, 1, 7),
		"bucket counts":   in(many(append([]byte{6<<3 | 1}, make([]byte, 8)...)), 1, 2, 2, 9, 1),
		"long name":       in(make([]byte, 300_000), 1, 2, 2, 1),
		"events":          empty(1, 2, 2, 11), "links": empty(1, 2, 2, 13), "attributes of spans": empty(1, 2, 2, 9),
		"attributes of events": empty(1, 2, 2, 11, 3), "attributes of links": empty(1, 2, 2, 13, 4),
	}
}

// live returns the bytes that f leaves allocated.
func live(f func() any) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := f()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// pdata's memory of a request never exceeds its charge, whatever the request consists of.
func TestProtobufCoversPdata(t *testing.T) {
	for name, body := range hostile() {
		for signal, tt := range map[string]struct {
			cost   func([]byte) int64
			decode func() any
		}{
			"traces": {Traces, func() any {
				req := ptraceotlp.NewExportRequest()
				_ = req.UnmarshalProto(body)
				return req
			}},
			"metrics": {Metrics, func() any {
				req := pmetricotlp.NewExportRequest()
				_ = req.UnmarshalProto(body)
				return req
			}},
		} {
			t.Run(name+" of "+signal, func(t *testing.T) {
				cost := tt.cost(body)
				assert.LessOrEqual(t, live(tt.decode), cost+16<<10)
			})
		}
	}
}

// hostileJSON are requests in JSON with as many elements as their bytes allow.
func hostileJSON() map[string]string {
	array := func(path, element string) string {
		body := "[" + strings.TrimSuffix(strings.Repeat(element+",", 300_000/(len(element)+1)), ",") + "]"
		keys := strings.Split(path, ".")
		for i := len(keys) - 1; i >= 0; i-- {
			name, isArray := strings.CutSuffix(keys[i], "[]")
			body = fmt.Sprintf("{%q:%s}", name, body)
			if isArray && i > 0 || i > 0 && strings.HasSuffix(keys[i-1], "[]") {
				body = "[" + body + "]"
			}
		}
		return body
	}
	all := map[string]string{}
	for _, path := range []string{
		"resourceSpans", "resourceSpans[].scopeSpans", "resourceSpans[].scopeSpans[].spans", "resourceSpans[].scopeSpans[].spans[].events",
		"resourceSpans[].scopeSpans[].spans[].links", "resourceSpans[].scopeSpans[].spans[].attributes", "resourceSpans[].resource.attributes",
		"resource_spans[].scope_spans[].spans", "resourceMetrics", "resourceMetrics[].scopeMetrics", "resourceMetrics[].scopeMetrics[].metrics",
		"resourceMetrics[].scopeMetrics[].metrics[].gauge.dataPoints", "resourceMetrics[].scopeMetrics[].metrics[].sum.dataPoints",
		"resourceMetrics[].scopeMetrics[].metrics[].histogram.dataPoints", "resourceMetrics[].scopeMetrics[].metrics[].exponentialHistogram.data_points",
		"resourceMetrics[].scopeMetrics[].metrics[].summary.dataPoints", "resourceMetrics[].scopeMetrics[].metrics[].summary.dataPoints[].quantileValues",
		"resourceMetrics[].scopeMetrics[].metrics[].gauge.dataPoints[].exemplars", "resourceMetrics[].scopeMetrics[].metrics[].gauge.dataPoints[].attributes",
		"resourceMetrics[].scopeMetrics[].metrics[].gauge.dataPoints[].attributes[].value.arrayValue.values",
		"resourceMetrics[].scopeMetrics[].metrics[].gauge.dataPoints[].attributes[].value.kvlistValue.values",
	} {
		for _, element := range []string{"{}", "null", "{ }"} {
			all[path+" of "+element] = array(path, element)
		}
	}
	for path, element := range map[string]string{
		"resourceMetrics[].scopeMetrics[].metrics[].histogram.dataPoints[].bucketCounts":                     "1",
		"resourceMetrics[].scopeMetrics[].metrics[].histogram.dataPoints[].explicitBounds":                   "1",
		"resourceMetrics[].scopeMetrics[].metrics[].exponentialHistogram.dataPoints[].positive.bucketCounts": `"1"`,
		"resourceSpans[].resource.entityRefs[].idKeys":                                                       `""`,
		`resourceSpans[].scopeSpans[].spans[].attributes`:                                                    `{"key":"k","value":{"stringValue":"v"}}`,
	} {
		all[path+" of "+element] = array(path, element)
	}
	spans := all["resourceSpans[].scopeSpans[].spans of {}"]
	all["escaped key"] = strings.Replace(spans, `"spans"`, `"sp\u0061ns"`, 1)
	return all
}

func TestJSONCoversPdata(t *testing.T) {
	decodesSome := false
	for name, body := range hostileJSON() {
		t.Run(name, func(t *testing.T) {
			cost := JSON([]byte(body))
			took := live(func() any {
				if strings.HasPrefix(name, "resourceM") {
					req := pmetricotlp.NewExportRequest()
					_ = req.UnmarshalJSON([]byte(body))
					return req
				}
				req := ptraceotlp.NewExportRequest()
				_ = req.UnmarshalJSON([]byte(body))
				return req
			})
			assert.LessOrEqual(t, took, cost+16<<10)
			decodesSome = decodesSome || took > 1<<20
		})
	}
	require.True(t, decodesSome, "the requests are what pdata decodes")
}

// A typical exporter's requests cost less than the limit of eight times their bytes.
func TestUsualRequestsAreCheap(t *testing.T) {
	m := pmetricotlp.NewExportRequestFromMetrics(usualMetrics())
	proto, err := m.MarshalProto()
	require.NoError(t, err)
	text, err := m.MarshalJSON()
	require.NoError(t, err)
	for name, ratio := range map[string]float64{"metrics": float64(Metrics(proto)) / float64(len(proto)), "JSON": float64(JSON(text)) / float64(len(text))} {
		t.Log(name, ratio)
		assert.Less(t, ratio, 6.0, name)
		assert.Greater(t, ratio, 1.0, name)
	}
	tr := ptraceotlp.NewExportRequestFromTraces(usualTraces())
	proto, err = tr.MarshalProto()
	require.NoError(t, err)
	text, err = tr.MarshalJSON()
	require.NoError(t, err)
	for name, ratio := range map[string]float64{"traces": float64(Traces(proto)) / float64(len(proto)), "JSON": float64(JSON(text)) / float64(len(text))} {
		t.Log(name, ratio)
		assert.Less(t, ratio, 6.0, name)
		assert.Greater(t, ratio, 1.0, name)
	}
}

func fill(m pcommon.Map, i int) {
	m.PutStr("http.request.method", "GET")
	m.PutStr("http.route", "/api/orders/{id}")
	m.PutInt("http.response.status_code", int64(200+i))
}

func usualMetrics() pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "orders")
	metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
	h, e, g, s := metrics.AppendEmpty(), metrics.AppendEmpty(), metrics.AppendEmpty(), metrics.AppendEmpty()
	h.SetName("http.server.request.duration")
	e.SetName("http.server.request.duration")
	g.SetName("process.memory.usage")
	s.SetName("requests")
	hp, ep, gp, sp := h.SetEmptyHistogram().DataPoints(), e.SetEmptyExponentialHistogram().DataPoints(), g.SetEmptyGauge().DataPoints(), s.SetEmptySum().DataPoints()
	for i := range 50 {
		p := hp.AppendEmpty()
		fill(p.Attributes(), i)
		p.SetTimestamp(1 << 60)
		p.BucketCounts().FromRaw(make([]uint64, 15))
		p.ExplicitBounds().FromRaw(make([]float64, 14))
		x := ep.AppendEmpty()
		fill(x.Attributes(), i)
		x.SetTimestamp(1 << 60)
		x.Positive().BucketCounts().FromRaw(make([]uint64, 20))
		n := gp.AppendEmpty()
		fill(n.Attributes(), i)
		n.SetTimestamp(1 << 60)
		n.SetDoubleValue(1)
		u := sp.AppendEmpty()
		u.Attributes().PutStr("state", "idle")
		u.SetTimestamp(1 << 60)
		u.SetStartTimestamp(1 << 60)
		u.SetIntValue(1)
	}
	return md
}

func usualTraces() ptrace.Traces {
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i := range 50 {
		s := spans.AppendEmpty()
		s.SetTraceID([16]byte{1})
		s.SetSpanID([8]byte{1})
		s.SetStartTimestamp(1 << 60)
		s.SetEndTimestamp(1 << 60)
		s.SetName("GET /api/orders/{id}")
		fill(s.Attributes(), i)
	}
	return td
}

// The fast path beside walk returns the same as walk, and is used for typical exporters' attributes, in either order of key and value.
func TestPlainAttributes(t *testing.T) {
	taken := 0
	for _, key := range []string{"", "k", "http.request.method", strings.Repeat("k", 127), strings.Repeat("k", 128)} {
		k := in([]byte(key), 1)
		for _, v := range [][]byte{
			nil, in([]byte("GET"), 1), in(nil, 1), in([]byte(strings.Repeat("v", 125)), 1), in([]byte(strings.Repeat("v", 126)), 1), in([]byte{1, 2}, 7),
			{2 << 3, 1}, {3 << 3, 0xc8, 1}, {3 << 3, 0x80, 0x80, 1}, {3 << 3, 0x80}, append([]byte{4<<3 | 1}, make([]byte, 8)...), {4<<3 | 1, 0},
			in(in(in([]byte("x"), 1), 1), 5), in(in(in([]byte("x"), 1), 1), 6), {8 << 3, 1}, {1}, in([]byte("a"), 1, 1), append(in([]byte("a"), 1), 2<<3, 1),
		} {
			for _, kv := range [][]byte{append(append([]byte{}, k...), in(v, 2)...), append(in(v, 2), k...), k, in(v, 2), append(append([]byte{}, k...), k...)} {
				want, _ := attribute.walk(kv)
				if got, plain := ofPlain(kv); plain {
					taken++
					assert.Equal(t, want, got, "%x", kv)
				}
			}
		}
	}
	assert.Greater(t, taken, 50)
}

// BenchmarkTraces reports per span of three attributes.
func BenchmarkTraces(b *testing.B) {
	body, err := ptraceotlp.NewExportRequestFromTraces(usualTraces()).MarshalProto()
	require.NoError(b, err)
	for b.Loop() {
		Traces(body)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*50), "ns/span")
}

// For any bytes the walks end, and return no negative cost.
func FuzzCost(f *testing.F) {
	for _, body := range hostile() {
		f.Add(body[:min(len(body), 200)])
	}
	for _, body := range hostileJSON() {
		f.Add([]byte(body[:min(len(body), 400)]))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if n, plain := ofPlain(body); plain {
			want, _ := attribute.walk(body)
			require.Equal(t, want, n)
		}
		require.GreaterOrEqual(t, Traces(body), int64(0))
		require.GreaterOrEqual(t, Metrics(body), int64(0))
		require.GreaterOrEqual(t, JSON(body), int64(0))
	})
}
