package reference

import (
	"strings"

	"github.com/slowburn/slowburn/slo/match"
)

// sliRules are those of connectors::sli.
var sliRules = ruleSet{
	"":                     {Doc: "Counts every span before sampling and passes it on; emits the counts as metrics."},
	"::directory":          {Text: "not empty", Doc: "The directory of the file with the counts. It is created if it is missing. Connectors can share it."},
	"::interval":           {Min: "1s", Text: "at least 1s, and a divisor of a minute: 5s, 10s, 15s, 30s", Doc: "The interval at which metrics are emitted, aligned to the wall clock: with 10s at :00, :10, :20 and so on."},
	"::expiry":             {Min: "5m", Zero: "not before shutdown", Doc: "The time after which a series without a new span is dropped."},
	"::limits":             {Doc: "Limits of the number of series. Spans over a limit are counted under `__other__`."},
	"::limits::services":   {Min: "1"},
	"::limits::operations": {Min: "1"},
	"::limits::versions":   {Min: "1"},
	"::limits::reasons":    {Min: "1"},
	"::limits::series":     {Min: "1000", Max: "100000000", Zero: "a thirty-second part of the memory limit, at 1280 bytes each: 5000 to 200000", Doc: "The most time series of all kinds together: calls, durations, total and bad events. Series that an objective names, and those of `__other__`, are not included."},
	"::repeats":            {Doc: "Recognition of requests that a sender repeats because it got no answer. A repeat is acknowledged, and neither counted nor passed on again."},
	"::repeats::window":    {Min: "1s", Max: "24h", Zero: "off, repeats are counted and passed on", Doc: "The time for which requests are remembered."},
	"::repeats::memory":    {Min: "64KiB", Text: "64KiB to 2GiB", Doc: "The memory for remembered requests. Over it the oldest are forgotten first."},
	"::wire_path":          {Hidden: true},
}

// sloMetricsRules are those of receivers::slo_metrics.
var sloMetricsRules = ruleSet{
	"":        {Doc: "Sends error budgets, burn rates and alerts of all objectives to a metrics pipeline, after each evaluation."},
	"::sloth": {Doc: "Whether the figures are sent under the names that Sloth records too, `slo:*`, `sloth_slo_info` and `ALERTS`, for its dashboards."},
}

// exporterRules are those of exporters::tsdb.
var exporterRules = ruleSet{
	"":                              {Doc: "Writes metrics to a tsdb extension."},
	"::extension":                   {Text: "the ID of a tsdb extension", Doc: "The extension that stores the metrics."},
	"::promote_resource_attributes": {Text: "names of attributes", Doc: "Resource attributes that become labels of every series of the resource. An attribute of the data point with the same name has precedence. service.name and service.instance.id are always in the labels job and instance, and all attributes are labels of target_info."},
	"::translation_strategy":        {OneOf: []string{"UnderscoreEscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes"}, Doc: "The translation of metric names to names of series. Without suffixes neither the unit nor _total is appended."},
}

// tsdbRules are those of extensions::tsdb.
var tsdbRules = ruleSet{
	"":                              {Doc: "The embedded Prometheus TSDB, or a remote Prometheus in its place."},
	"::directory":                   {Text: "not empty", Doc: "The directory of the database, which one process uses at a time. It is created if it is missing."},
	"::retention":                   {Min: "2h", Doc: "The age at which samples are deleted."},
	"::retention_size":              {Min: "0", Zero: "no bound", Doc: "The size of the blocks beyond which the oldest are deleted."},
	"::min_free_disk":               {Text: "any", Zero: "5 % of the volume, and at most 1GiB", Doc: "The free space of the volume that is left to others, above all to the span log. Below it no samples are stored."},
	"::out_of_order_time_window":    {Text: "at most `retention`", Zero: "only samples in order are accepted", Doc: "The greatest lag of an out-of-order sample behind the newest sample of the database."},
	"::max_series":                  {Min: "1000", Max: "100000000", Zero: "a sixteenth of the memory limit, at 2KiB each: 5000 to 500000", Doc: "The most series of others in memory. A series counts as more than one for every 1024 bytes of its labels and every 16 buckets of a native histogram. Over the limit new series are rejected. The gateway's own series are not included."},
	"::limits":                      {Doc: "Limits of a request of metrics and of its series. Data over a limit is rejected and counted, and the answer tells the sender; the rest of the request is accepted. The gateway's own metrics are exempt."},
	"::limits::labels":              {Min: "10", Max: "1024"},
	"::limits::label_name":          {Min: "64B", Max: "1MiB"},
	"::limits::label_value":         {Min: "64B", Max: "1MiB"},
	"::limits::labels_size":         {Min: "64B", Max: "1MiB"},
	"::limits::buckets":             {Min: "10", Max: "65536"},
	"::limits::samples_per_request": {Min: "1000", Max: "1073741824"},
	"::query":                       {Doc: "Limits of queries over HTTP, as from the dashboard and Grafana. The evaluation of objectives does not wait for them."},
	"::query::memory":               {Min: "8MiB", Zero: "a sixteenth of GOMEMLIMIT, 8MiB to 256MiB", Doc: "The memory that all running queries share."},
	"::query::max_samples":          {Min: "0", Zero: "as many as `query::memory` has room for", Doc: "The most samples that one query holds."},
	"::query::concurrent":           {Min: "0", Zero: "one less than there are processors, and one at least; 20 of a remote Prometheus", Doc: "The most queries, and reads of traces and objectives (`web::reads`), that run concurrently."},
	"::query::queue":                {Min: "0", Doc: "The most queries that wait in the queue; further ones are refused. With 0 a query that cannot run at once is refused."},
	"::query::queue_timeout":        {Text: "above 0", Doc: "The longest wait of a query in the queue."},
	"::query::max_length":           {Min: "1B", Max: "1MiB", Doc: "The longest expression."},
	"::query::max_response_size":    {Text: "above 0", Doc: "The longest answer, before compression."},
	"::query_timeout":               {Text: "above 0"},
	"::remote":                      {Text: "`endpoint` is an http or https URL without a query; no `compression`", Doc: "The HTTP client of a Prometheus API (Prometheus, Mimir, Thanos) that is queried instead of an embedded database. `endpoint` is the address below which /api/v1/query is found."},
}

const (
	selectService    = "Only spans of this service count. The default is all services."
	selectKind       = "Only spans of this kind count."
	selectOperations = "Only spans with these names count."
	selectVersion    = "Only spans of these versions of the service count."
	selectAttributes = "Only spans whose attributes meet all of these conditions count. An attribute is that of the span or of its resource."
	selectBad        = "The [conditions](../objectives.md#bad-events) any of which makes an event bad."
	selectExclude    = "The [conditions](../objectives.md#excluded-events) any of which makes a span no event, neither good nor bad."
	// selectText is how conditions over texts are written.
	selectText = "a [condition](../objectives.md#conditions), or a list of them: `text`, `=text`, `!=text`, `=~regex`, `!~regex`"
)

// kindPattern is the form of a condition over the kind of a span.
var kindPattern = conditionOf("span_kind_", match.Kinds)

// conditionOf returns the form of a condition over one of some names, in any case, or a regular expression.
func conditionOf(prefix string, names []string) string {
	folded := make([]string, len(names))
	for i, name := range names {
		folded[i] = anyCase(name)
	}
	return "^(!?=)?(" + anyCase(prefix) + ")?(" + strings.Join(folded, "|") + ")$|^[=!]~.|^$"
}

// anyCase returns a pattern for a lower-case word in any case: JSON Schema has no flags.
func anyCase(word string) string {
	var b strings.Builder
	for _, r := range word {
		if upper := strings.ToUpper(string(r)); upper != string(r) {
			b.WriteString("[" + string(r) + upper + "]")
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// sloRules are those of extensions::slo.
var sloRules = ruleSet{
	"":                                      {Doc: "Evaluates objectives, keeps their ledger, and drives alerts and notifications."},
	"::directory":                           {Text: "not empty", Doc: "The directory of the file slo.db, with the ledger, the alerts and the outbox. It is created if it is missing."},
	"::tsdb":                                {Text: "the ID of a tsdb extension", Doc: "The extension that objectives are queried from."},
	"::external_url":                        {Text: "an http or https URL", Default: "`http://127.0.0.1:8080`", Doc: "The dashboard's URL for people. Links in alerts begin with it."},
	"::lateness":                            {Min: "0", Max: "10m", Doc: "The lag of evaluation behind the clock, in which samples arrive."},
	"::late_window":                         {Min: "0", Max: "15m", Text: "whole minutes", Doc: "The time after the end of a span in which its event still counts in the minute of the end. With 0 events count in the minute in which they arrive."},
	"::max_size":                            {Min: "16MiB", Doc: "The most bytes of slo.db that are in use. Over it the oldest data are given up: breakdowns by minute first, then by hour, then minutes before the longest window. The file does not shrink; free pages are used again."},
	"::files":                               {Text: "patterns that match at least one file", Doc: "Files with objectives, such as objectives/*.yaml. Each file has the single key `objectives`."},
	"::objectives":                          {Text: "no two with one name", Doc: "The [objectives](../objectives.md), in addition to those of `files`."},
	"::objectives[]::name":                  {Required: true, Text: "1 to 128 letters, digits, dots, dashes or underscores", Doc: "The permanent name of the objective, under which its history is stored."},
	"::objectives[]::description":           {Text: "any", Doc: "A description of the promise, for people."},
	"::objectives[]::service":               {Text: "any", Default: "that of the indicator", Doc: "The service that the objective is about, for people."},
	"::objectives[]::labels":                {Text: "any but alertname, objective, service, severity", Doc: "Labels of the objective's alerts."},
	"::objectives[]::target":                {Required: true, Text: "above 1, below 100", Doc: "The promised share of good events, in percent."},
	"::objectives[]::window":                {Min: "1h", Max: "366d", Text: "whole minutes, 1h to 366d", Doc: "The rolling window of the target."},
	"::objectives[]::availability":          {Text: "one of `availability`, `latency`, `throughput`, `freshness`, `promql` and `composite` is needed", Doc: "An event is bad if its span failed."},
	"::objectives[]::availability::service": {Text: selectText, Doc: selectService},
	"::objectives[]::availability::kind":    {Pattern: kindPattern, Text: selectText + " of server, client, producer, consumer, internal, unspecified", Doc: selectKind},
	"::objectives[]::availability::operations": {Text: selectText, Doc: selectOperations},
	"::objectives[]::availability::version":    {Text: selectText, Doc: selectVersion},
	"::objectives[]::availability::attributes": {Text: "attributes, each with " + selectText, Doc: selectAttributes},
	"::objectives[]::availability::bad":        {Text: "`server`, `user`, or a list of these and of maps of conditions", Default: "server", Doc: selectBad},
	"::objectives[]::availability::exclude":    {Text: "`server`, `user`, or a list of these and of maps of conditions", Doc: selectExclude},
	"::objectives[]::latency":                  {Text: "one of `availability`, `latency`, `throughput`, `freshness`, `promql` and `composite` is needed", Doc: "An event is bad if its span took longer than the threshold, whether it failed or not."},
	"::objectives[]::latency::service":         {Text: selectText, Doc: selectService},
	"::objectives[]::latency::kind":            {Pattern: kindPattern, Text: selectText + " of server, client, producer, consumer, internal, unspecified", Doc: selectKind},
	"::objectives[]::latency::operations":      {Text: selectText, Doc: selectOperations},
	"::objectives[]::latency::version":         {Text: selectText, Doc: selectVersion},
	"::objectives[]::latency::attributes":      {Text: "attributes, each with " + selectText, Doc: selectAttributes},
	"::objectives[]::latency::bad":             {Text: "`server`, `user`, or a list of these and of maps of conditions", Default: "none: slow spans only", Doc: selectBad},
	"::objectives[]::latency::exclude":         {Text: "`server`, `user`, or a list of these and of maps of conditions", Doc: selectExclude},
	"::objectives[]::latency::threshold":       {Required: true, Text: "above 0", Doc: "The longest duration of a good event."},
	"::objectives[]::throughput":               {Text: "one of `availability`, `latency`, `throughput`, `freshness`, `promql` and `composite` is needed", Doc: "A minute is bad if it has fewer events than the minimum."},
	"::objectives[]::throughput::service":      {Text: selectText, Doc: selectService},
	"::objectives[]::throughput::kind":         {Text: selectText + " of server, client, producer, consumer, internal, unspecified", Doc: selectKind},
	"::objectives[]::throughput::operations":   {Text: selectText, Doc: selectOperations},
	"::objectives[]::throughput::version":      {Text: selectText, Doc: selectVersion},
	"::objectives[]::throughput::attributes":   {Text: "attributes, each with " + selectText, Doc: selectAttributes},
	"::objectives[]::throughput::bad":          {Text: "not written", Doc: "No event is bad: only their number matters."},
	"::objectives[]::throughput::exclude":      {Text: "`server`, `user`, or a list of these and of maps of conditions", Doc: selectExclude},
	"::objectives[]::throughput::minimum":      {Required: true, Text: "a rate above 0, such as 50/s, 3000/m or 180000/h", Doc: "The lowest rate of a good minute."},
	"::objectives[]::freshness":                {Text: "one of `availability`, `latency`, `throughput`, `freshness`, `promql` and `composite` is needed", Doc: "A minute is bad if traffic has probably stopped by then."},
	"::objectives[]::freshness::service":       {Text: selectText, Doc: selectService},
	"::objectives[]::freshness::kind":          {Text: selectText + " of server, client, producer, consumer, internal, unspecified", Doc: selectKind},
	"::objectives[]::freshness::operations":    {Text: selectText, Doc: selectOperations},
	"::objectives[]::freshness::version":       {Text: selectText, Doc: selectVersion},
	"::objectives[]::freshness::attributes":    {Text: "attributes, each with " + selectText, Doc: selectAttributes},
	"::objectives[]::freshness::bad":           {Text: "not written", Doc: "No event is bad: only their number matters."},
	"::objectives[]::freshness::exclude":       {Text: "`server`, `user`, or a list of these and of maps of conditions", Doc: selectExclude},
	"::objectives[]::freshness::phi":           {Text: "1 to 30", Default: "8", Doc: "The suspicion from which on a silence is bad: −log10 of its probability."},
	"::objectives[]::composite":                {Text: "one of `availability`, `latency`, `throughput`, `freshness`, `promql` and `composite` is needed", Doc: "The events of other objectives, each times its weight, are added up."},
	"::objectives[]::composite[]::objective":   {Required: true, Text: "the name of another objective; all count events, or all count time", Doc: "The component."},
	"::objectives[]::composite[]::weight":      {Text: "a whole number from 1 to 1000", Default: "1", Doc: "The number of events that each event of the component counts as."},
	"::objectives[]::slices":                   {Text: "beside `availability`, `latency` or `promql`", Doc: "Slices of time are counted instead of events."},
	"::objectives[]::slices::length":           {Text: "whole minutes that divide an hour, at most the shortest `short_window` of the tiers", Default: "1m", Doc: "The length of a slice. Slices begin on the hour."},
	"::objectives[]::slices::target":           {Required: true, Text: "above 1, at most 100", Doc: "The share of good events that makes a slice good, in percent."},
	"::objectives[]::slices::without_events":   {OneOf: []string{"good", "skip"}, Default: "good", Doc: "A slice without events is good, or is not counted."},
	"::objectives[]::promql":                   {Text: "one of `availability`, `latency`, `throughput`, `freshness`, `promql` and `composite` is needed", Doc: "Queries count bad and all events."},
	"::objectives[]::promql::bad":              {Text: "PromQL with {{.window}}; needed, with `total`, without `error_ratio`", Doc: "The number of bad events over {{.window}}."},
	"::objectives[]::promql::total":            {Text: "PromQL with {{.window}}; needed, with `bad`, without `error_ratio`", Doc: "The number of all events over {{.window}}."},
	"::objectives[]::promql::error_ratio":      {Text: "PromQL that gives one number from 0 to 1; without `bad` and `total`", Doc: "The share of bad events, with which each minute is bad in part."},
	"::objectives[]::promql::resolution":       {Min: "1m", Max: "1h", Text: "whole minutes, 1m to 1h", Doc: "The value of {{.window}}."},
	"::objectives[]::tiers":                    {Text: "at least one that can fire", Default: "those of [burn rates](../objectives.md)", Doc: "The conditions of alerts. With an empty list the objective never alerts."},
	"::objectives[]::tiers[]::severity":        {Required: true, OneOf: []string{"page", "ticket"}, Doc: "The urgency of the tier's alerts."},
	"::objectives[]::tiers[]::long_window":     {Required: true, Text: "whole minutes, longer than `short_window`, at most the objective's `window`", Doc: "The window whose burn rate shows that the loss matters."},
	"::objectives[]::tiers[]::short_window":    {Required: true, Text: "whole minutes, at least 1m", Doc: "The window whose burn rate shows that the loss goes on."},
	"::objectives[]::tiers[]::budget":          {Text: "above 0, at most 100; this or `factor`", Doc: "The share of the error budget, in percent, that fires the tier if it is spent within `long_window`."},
	"::objectives[]::tiers[]::factor":          {Text: "above 0; this or `budget`", Doc: "The burn rate from which on the tier fires."},
	"::objectives[]::min_bad_events":           {Min: "0", Doc: "The fewest bad events in its long window for a tier to fire."},
	"::objectives[]::keep_firing_for":          {Text: "not negative", Doc: "The time for which a tier stays active after its burn rates fell below its factor."},
	"::objectives[]::for_each":                 {OneOf: []string{"service"}, Doc: "Makes an objective of its own for each service, named name:service. Neither `service` nor the indicator's `service` is set then."},
	"::objectives[]::limit":                    {Min: "1", Max: "1000", Doc: "The most objectives that `for_each` makes. `/readyz` says when there are more services."},
	"::objectives[]::receivers":                {Text: "names of `receivers`", Default: "all", Doc: "The receivers of the objective's alerts."},
	"::receivers":                              {Text: "no two with one name", Doc: "The receivers of alerts."},
	"::receivers[]::name":                      {Required: true, Text: "1 to 128 letters, digits, dots, dashes or underscores", Doc: "The receiver's name in objectives and on the dashboard."},
	"::receivers[]::webhook":                   {Text: "`endpoint` is an http or https URL, `timeout` above 0", Doc: "The HTTP client that posts [alerts](../alerts.md)."},
	"::receivers[]::send_resolved":             {Doc: "Whether the receiver also gets a notification when an alert is resolved."},
	"::receivers[]::severities":                {Text: "at least one of page and ticket", Doc: "The severities of alerts that the receiver gets."},
}

// webRules are those of extensions::web.
var webRules = ruleSet{
	"":                       {Doc: "The dashboard and the API."},
	"::base_path":            {Text: "segments of letters, digits and ._~-, each after a slash; empty is the root", Doc: "The prefix of all paths, for a reverse proxy that passes on the whole path."},
	"::hosts":                {Text: "names, *.example.com for all below one, * for any", Doc: "The listener's names for people and programs, beside localhost, the hosts of `endpoint` and `slo::external_url`, and IP addresses. A request with another name is refused (421), against DNS rebinding."},
	"::operators":            {Text: "not empty; only with `auth`", Doc: "The subjects, as the extension of `auth` names them, that may make changes: reload, promote, retry, drain. If the extension names no subject, its ID is the subject. Without `auth` only requests from loopback may make changes."},
	"::max_connections":      {Min: "8"},
	"::max_header_size":      {Min: "4KiB", Max: "1MiB"},
	"::reads":                {Doc: "Limits of requests for traces and objectives. Those of requests for metrics are `tsdb::query`."},
	"::reads::queue":         {Min: "0", Doc: "The most requests that wait in the queue; further ones are refused. With 0 a request that cannot run at once is refused."},
	"::reads::queue_timeout": {Text: "above 0", Doc: "The longest wait of a request in the queue."},
	"::reads::memory":        {Min: "8MiB", Zero: "a sixteenth of GOMEMLIMIT, 16MiB to 128MiB", Doc: "The memory that all running requests share."},
	"::reads::timeout":       {Text: "above 0", Doc: "The time limit of a request."},
}
