package otlp

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/slowburn/slowburn/processor/otlp/internal/cost"
)

// Typical metrics of SDKs and collectors are accepted, even with elements as small and numerous as they make them: buckets with
// few events each, one too many for half of their slice; points without attributes, or with attributes of one character; points
// without events; exemplars.
func TestSmallElementsOfMetrics(t *testing.T) {
	const at = pcommon.Timestamp(1_700_000_000_000_000_000)
	short := func(m pcommon.Map, n int) {
		for i := range n {
			m.PutStr(string(rune('a'+i)), "v")
		}
	}
	exponential := func(positive, negative, attributes int) func(pmetric.Metric) {
		return func(m pmetric.Metric) {
			points := m.SetEmptyExponentialHistogram().DataPoints()
			for range 100 {
				p := points.AppendEmpty()
				p.SetStartTimestamp(at)
				p.SetTimestamp(at)
				p.SetScale(5)
				p.SetCount(uint64(positive + negative))
				p.SetSum(1)
				short(p.Attributes(), attributes)
				for range positive {
					p.Positive().BucketCounts().Append(1)
				}
				for range negative {
					p.Negative().BucketCounts().Append(1)
				}
			}
		}
	}
	explicit := func(buckets, attributes, exemplars int, counted bool) func(pmetric.Metric) {
		return func(m pmetric.Metric) {
			points := m.SetEmptyHistogram().DataPoints()
			for range 100 {
				p := points.AppendEmpty()
				p.SetStartTimestamp(at)
				p.SetTimestamp(at)
				short(p.Attributes(), attributes)
				for i := range buckets {
					p.BucketCounts().Append(0)
					p.ExplicitBounds().Append(float64(i))
				}
				if counted {
					p.BucketCounts().Append(1)
					p.SetCount(1)
					p.SetSum(1)
				}
				for range exemplars {
					e := p.Exemplars().AppendEmpty()
					e.SetTimestamp(at)
					e.SetDoubleValue(1)
					e.SetTraceID(pcommon.TraceID{1})
					e.SetSpanID(pcommon.SpanID{1})
				}
			}
		}
	}
	number := func(attributes int, started bool) func(pmetric.Metric) {
		return func(m pmetric.Metric) {
			points := m.SetEmptySum().DataPoints()
			for range 100 {
				p := points.AppendEmpty()
				p.SetTimestamp(at)
				if started {
					p.SetStartTimestamp(at)
				}
				p.SetIntValue(0)
				short(p.Attributes(), attributes)
			}
		}
	}
	g := start(t, map[string]any{"wire_path": true, "protocols": map[string]any{"grpc": map[string]any{"max_recv_msg_size_mib": 20}}})
	for name, fill := range map[string]func(pmetric.Metric){
		"exponential, 160 buckets":              exponential(160, 0, 3),
		"exponential, 129 buckets":              exponential(129, 0, 1),
		"exponential, 65 buckets":               exponential(65, 0, 1),
		"exponential, 129 buckets on both ends": exponential(129, 129, 1),
		"exponential, 5 buckets on both ends":   exponential(5, 5, 5),
		"exponential, nothing counted":          exponential(0, 0, 1),
		"explicit, default buckets":             explicit(15, 3, 0, true),
		"explicit, nothing counted":             explicit(0, 1, 0, false),
		"explicit, 9 short attributes":          explicit(0, 9, 0, true),
		"explicit, exemplars":                   explicit(15, 1, 5, true),
		"numbers without attributes":            number(0, true),
		"numbers of the time alone":             number(1, false),
		"numbers, 9 short attributes":           number(9, true),
		"numbers, 17 short attributes":          number(17, true),
	} {
		for _, metrics := range []int{1, 82} { // an export of an SDK, and a collector's batch of 8,192 points
			md := pmetric.NewMetrics()
			rm := md.ResourceMetrics().AppendEmpty()
			rm.Resource().Attributes().PutStr("service.name", "s")
			list := rm.ScopeMetrics().AppendEmpty().Metrics()
			for range metrics {
				m := list.AppendEmpty()
				m.SetName("m")
				fill(m)
			}
			req := pmetricotlp.NewExportRequestFromMetrics(md)
			body, err := req.MarshalProto()
			require.NoError(t, err)
			t.Logf("%s, %d points: %d bytes, %.1f times that", name, 100*metrics, len(body), float64(cost.Metrics(body))/float64(len(body)))
			assert.Equal(t, http.StatusOK, g.post("/v1/metrics", "application/x-protobuf", "gzip", compress(t, "gzip", body)).code, "%s, %d", name, metrics)
			body, err = req.MarshalJSON()
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, g.post("/v1/metrics", "application/json", "gzip", compress(t, "gzip", body)).code, "%s, %d in JSON", name, metrics)
		}
	}
}
