// Package lost reads how many spans were not measured although time was: senders count those that they drop, and the gateway those that it
// refuses. Where these counts arrive in the time series database, they widen the doubt of budgets and burn rates: each such span may have
// been a bad event.
//
// Its one type is Spans, the lost spans of a minute by service. It is stateless.
package lost

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
)

// source is a counter of lost spans, as Prometheus names it.
type source struct {
	metric, matchers string
	// sender says that the series are of the service whose spans were lost. Otherwise spans of any service may be among them.
	sender bool
	// own says that a gateway's own series count: what slowburn's exporters could not deliver was counted before.
	own bool
}

// sources lists the counters: of OpenTelemetry's SDKs (semantic conventions of otel.sdk), of Collectors in front of the gateway, and of the
// gateway itself. Collectors older than v0.119 leave out _total.
var sources = []source{
	{metric: "otel_sdk_processor_span_processed_total", matchers: `error_type!=""`, sender: true},
	{metric: "otel_sdk_exporter_span_exported_total", matchers: `error_type!=""`, sender: true},
	{metric: "otelcol_exporter_send_failed_spans_total"},
	{metric: "otelcol_exporter_send_failed_spans"},
	{metric: "otelcol_exporter_enqueue_failed_spans_total"},
	{metric: "otelcol_exporter_enqueue_failed_spans"},
	{metric: "otelcol_processor_dropped_spans_total"},
	{metric: "otelcol_processor_dropped_spans"},
	{metric: "otelcol_receiver_refused_spans_total", own: true},
	{metric: "otelcol_receiver_refused_spans", own: true},
}

// resolution is the window of an increase. Each minute counts its share of it, as with the objectives by PromQL.
const resolution = 5 * time.Minute

// Query is the query for the lost spans of a resolution that ends at an instant, by the job that sent them; without a job they may be of any.
var Query = func() string {
	var parts []string
	for i, s := range sources {
		series := fmt.Sprintf("increase(%s{%s}[%s])", s.metric, s.matchers, slo.FormatDuration(resolution))
		if !s.sender && !s.own {
			series += " unless on (job, instance) {__name__=~\"otelcol_connector_sli_flushes(_total)?\"}"
		}
		by := ""
		if s.sender {
			by = " by (job)"
		}
		parts = append(parts, fmt.Sprintf(`label_replace(sum%s (%s), "source", "%d", "", "")`, by, series, i))
	}
	return strings.Join(parts, " or ")
}()

// Spans holds the lost spans of a minute by service; those that may be of any service under "".
type Spans map[string]float64

// Of returns how many of the lost spans may be of a service; of an objective of all services, all may be.
func (s Spans) Of(service string) (n float64) {
	if service != "" {
		return s[service] + s[""]
	}
	for _, lost := range s {
		n += lost
	}
	return n
}

// Read returns the lost spans of the minutes from from up to, but not including, to. A minute without any has no entry.
func Read(ctx context.Context, q samples.Querier, from, to ledger.Minute) (map[ledger.Minute]Spans, error) {
	var v model.Value
	var err error
	if to-from == 1 {
		v, err = q.Query(ctx, Query, from.End())
	} else {
		v, err = q.QueryRange(ctx, Query, promv1.Range{Start: from.End(), End: (to - 1).End(), Step: time.Minute})
	}
	if err != nil {
		return nil, fmt.Errorf("lost spans: %w", err)
	}
	minutes := map[ledger.Minute]Spans{}
	add := func(metric model.Metric, m ledger.Minute, value model.SampleValue) {
		n := float64(value) / resolution.Minutes()
		if m < from || m >= to || !(n > 0) || math.IsInf(n, 0) {
			return
		}
		if minutes[m] == nil {
			minutes[m] = Spans{}
		}
		minutes[m][serviceOf(string(metric["job"]))] += n
	}
	switch v := v.(type) {
	case model.Vector:
		for _, s := range v {
			add(s.Metric, from, s.Value)
		}
	case model.Matrix:
		for _, series := range v {
			for _, s := range series.Values {
				add(series.Metric, ledger.MinuteOf(s.Timestamp.Time()), s.Value)
			}
		}
	default:
		return nil, fmt.Errorf("lost spans: the time series database answered with a %s", v.Type())
	}
	return minutes, nil
}

// serviceOf returns the service of a job, which is service.namespace/service.name.
func serviceOf(job string) string { return job[strings.LastIndexByte(job, '/')+1:] }

// Account returns the name of the ledger's account of an objective's lost spans. No objective can have it.
func Account(objective string) string { return "lost spans/" + objective }
