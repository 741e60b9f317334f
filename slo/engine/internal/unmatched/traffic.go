package unmatched

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"github.com/slowburn/slowburn/slo/engine/internal/samples"
)

// span is a kind of spans that were counted, as the connector sli counts calls.
type span struct{ service, operation, kind string }

// traffic holds how many spans of each kind there were in an hour.
type traffic map[span]float64

// callsMetric counts all spans.
const callsMetric = "traces_span_metrics_calls_total"

// maxGroups bounds the memory of a look. With more kinds of spans nothing is looked for.
const maxGroups = 50_000

// kinds maps the values of the label span_kind to the names in conditions.
var kinds = map[model.LabelValue]string{
	"SPAN_KIND_UNSPECIFIED": "unspecified", "SPAN_KIND_INTERNAL": "internal", "SPAN_KIND_SERVER": "server", "SPAN_KIND_CLIENT": "client",
	"SPAN_KIND_PRODUCER": "producer", "SPAN_KIND_CONSUMER": "consumer",
}

// read returns the traffic of the hour before a time, nil if there are too many kinds of spans. A counter that began within the hour
// counts from its birth, and one that was reset not at all.
func read(ctx context.Context, q samples.Querier, at time.Time) (traffic, error) {
	size, err := query(ctx, q, "count(sum by (service_name, span_name, span_kind) ("+callsMetric+"))", at)
	if err != nil || len(size) > 0 && size[0].Value > maxGroups {
		return nil, err
	}
	const by = "sum by (service_name, span_name, span_kind, status_code) (" + callsMetric + ")"
	before, err := query(ctx, q, by, at.Add(-hour))
	if err != nil {
		return nil, err
	}
	now, err := query(ctx, q, by, at)
	if err != nil {
		return nil, err
	}
	base := make(map[model.Fingerprint]float64, len(before))
	for _, s := range before {
		base[s.Metric.FastFingerprint()] = float64(s.Value)
	}
	found := traffic{}
	for _, s := range now {
		if n := float64(s.Value) - base[s.Metric.FastFingerprint()]; n > 0 {
			found[span{string(s.Metric["service_name"]), string(s.Metric["span_name"]), kinds[s.Metric["span_kind"]]}] += n
		}
	}
	return found, nil
}

func query(ctx context.Context, q samples.Querier, expr string, at time.Time) (model.Vector, error) {
	v, err := q.Query(ctx, expr, at)
	if err != nil {
		return nil, err
	}
	vector, ok := v.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("the time series database answered with a %s to a query for a vector", v.Type())
	}
	return vector, nil
}
