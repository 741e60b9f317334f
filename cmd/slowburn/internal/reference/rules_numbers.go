package reference

// sliRules are those of connectors::sli.
var sliRules = ruleSet{
	"":                     {Doc: "Counts every span before anything is sampled away, and passes it on; makes metrics of the counts."},
	"::directory":          {Text: "not empty", Doc: "The directory of the file that counts are kept in. It is made if need be. Connectors can share it."},
	"::interval":           {Min: "1s", Text: "at least 1s, and a divisor of a minute: 5s, 10s, 15s, 30s", Doc: "How often the metrics leave, on the wall clock: with 10s at :00, :10, :20 and so on."},
	"::expiry":             {Min: "5m", Zero: "not before shutdown", Doc: "How long a series without a new span is kept."},
	"::limits":             {Doc: "How many series there may be. What exceeds a limit is counted under `__other__`."},
	"::limits::services":   {Min: "1"},
	"::limits::operations": {Min: "1"},
	"::limits::versions":   {Min: "1"},
	"::limits::reasons":    {Min: "1"},
	"::limits::series":     {Min: "1000", Max: "100000000", Zero: "a thirty-second part of the memory limit, at 1280 bytes each: 5000 to 200000", Doc: "The most time series of all kinds together: calls, durations, total and bad events. Those that an objective names, and those of `__other__`, come on top."},
	"::repeats":            {Doc: "How a request is recognized that a sender sends again because it got no answer. It is acknowledged, and neither counted nor passed on again."},
	"::repeats::window":    {Min: "1s", Max: "24h", Zero: "none, repeats are counted and passed on", Doc: "How long requests are remembered."},
	"::repeats::memory":    {Min: "64KiB", Text: "64KiB to 2GiB", Doc: "Memory for remembered requests. Over it the oldest are forgotten first."},
	"::wire_path":          {Hidden: true},
}

// exporterRules are those of exporters::tsdb.
var exporterRules = ruleSet{
	"":                              {Doc: "Writes metrics to a tsdb extension."},
	"::extension":                   {Text: "the ID of a tsdb extension", Doc: "The extension that stores the metrics."},
	"::promote_resource_attributes": {Text: "names of attributes", Doc: "Resource attributes that become labels of every series of the resource. A data point's own attribute of that name has precedence. service.name and service.instance.id are in the labels job and instance in any case, and all attributes are labels of target_info."},
	"::translation_strategy":        {OneOf: []string{"UnderscoreEscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes"}, Doc: "How names of metrics become names of series. Without suffixes neither a unit nor _total is appended."},
}

// tsdbRules are those of extensions::tsdb.
var tsdbRules = ruleSet{
	"":                              {Doc: "The embedded Prometheus TSDB, or a remote Prometheus in its place."},
	"::directory":                   {Text: "not empty", Doc: "The directory of the database. It is made if need be, and used by one process at a time."},
	"::retention":                   {Min: "2h", Doc: "How long samples are kept."},
	"::retention_size":              {Min: "0", Zero: "no bound", Doc: "How many bytes the blocks may take before the oldest are deleted."},
	"::min_free_disk":               {Text: "any", Zero: "5 % of the volume, and at most 1GiB", Doc: "How much of the volume's free space is left to others, the span log first of all. Below it no samples are stored."},
	"::out_of_order_time_window":    {Text: "at most `retention`", Zero: "samples are taken in order only", Doc: "How far a sample may lie behind the newest sample of the database and yet be out of order within its series."},
	"::max_series":                  {Min: "1000", Max: "100000000", Zero: "a sixteenth of the memory limit, at 2KiB each: 5000 to 500000", Doc: "How many series of others there may be in memory. A series counts as more than one for every 1024 bytes of its labels and every 16 buckets of a native histogram. Over it new ones are rejected. The gateway's own come on top."},
	"::limits":                      {Doc: "What a request of metrics and its series may have at most. What is over a limit is rejected, counted, and told to the sender; the rest of the request is taken. The gateway's own metrics are exempt."},
	"::limits::labels":              {Min: "10", Max: "1024"},
	"::limits::label_name":          {Min: "64B", Max: "1MiB"},
	"::limits::label_value":         {Min: "64B", Max: "1MiB"},
	"::limits::labels_size":         {Min: "64B", Max: "1MiB"},
	"::limits::buckets":             {Min: "10", Max: "65536"},
	"::limits::samples_per_request": {Min: "1000", Max: "1073741824"},
	"::query":                       {Doc: "What people's queries take: those that come over HTTP, from the dashboard and from Grafana. The evaluation of objectives does not wait for them."},
	"::query::memory":               {Min: "8MiB", Zero: "a sixteenth of GOMEMLIMIT, 8MiB to 256MiB", Doc: "Memory that all queries in flight share."},
	"::query::max_samples":          {Min: "0", Zero: "as many as `query::memory` has room for", Doc: "How many samples one query may hold."},
	"::query::concurrent":           {Min: "0", Zero: "one less than there are processors, and one at least; 20 of a remote Prometheus", Doc: "How many queries, and reads of traces and objectives (`web::reads`), run at a time."},
	"::query::queue":                {Min: "0", Doc: "How many wait for their turn before others are refused. With 0 what cannot run at once is refused."},
	"::query::queue_timeout":        {Text: "above 0", Doc: "How long one waits for its turn."},
	"::query::max_length":           {Min: "1B", Max: "1MiB", Doc: "How long an expression may be."},
	"::query::max_response_size":    {Text: "above 0", Doc: "How long an answer may be before compression."},
	"::query_timeout":               {Text: "above 0"},
	"::remote":                      {Text: "`endpoint` is an http or https URL without a query; no `compression`", Doc: "The HTTP client of a Prometheus API (Prometheus, Mimir, Thanos) to query in place of an embedded database. `endpoint` is the address below which /api/v1/query is found."},
}

const (
	selectService    = "Only spans of this service count. All services, if it is left out."
	selectOperations = "Only spans of these names count."
	selectAttributes = "Only spans count that have, themselves or by their resource, each of these attributes with this value."
)

// spanKinds are those that an objective can name.
var spanKinds = []string{"server", "client", "producer", "consumer", "internal"}

// sloRules are those of extensions::slo.
var sloRules = ruleSet{
	"":                                         {Doc: "Evaluates objectives, keeps their ledger, and drives alerts and notifications."},
	"::directory":                              {Text: "not empty", Doc: "The directory of the file slo.db, with the ledger, the alerts and the outbox. It is made if need be."},
	"::tsdb":                                   {Text: "the ID of a tsdb extension", Doc: "The extension that is queried."},
	"::external_url":                           {Text: "an http or https URL", Default: "`http://127.0.0.1:8080`", Doc: "Where people reach the dashboard. Links in alerts begin with it."},
	"::lateness":                               {Min: "0", Max: "10m", Doc: "How far evaluation stays behind the clock, so that samples have arrived."},
	"::files":                                  {Text: "patterns that match a file at least", Doc: "Files with objectives, such as objectives/*.yaml. Each has the one key `objectives`."},
	"::objectives":                             {Text: "no two with one name", Doc: "The [objectives](../objectives.md). Those of `files` come on top."},
	"::objectives[]::name":                     {Required: true, Text: "1 to 128 letters, digits, dots, dashes or underscores", Doc: "Identifies the objective for good: its history is kept under it."},
	"::objectives[]::description":              {Text: "any", Doc: "What it promises, for people."},
	"::objectives[]::service":                  {Text: "any", Default: "that of the indicator", Doc: "Whom the objective is about, for people."},
	"::objectives[]::labels":                   {Text: "any but alertname, objective, service, severity", Doc: "Labels of the objective's alerts."},
	"::objectives[]::target":                   {Required: true, Text: "above 1, below 100", Doc: "The share of good events that is promised, in percent."},
	"::objectives[]::window":                   {Min: "1h", Max: "366d", Text: "whole minutes, 1h to 366d", Doc: "The rolling window over which the target holds."},
	"::objectives[]::availability":             {Text: "one of `availability`, `latency` and `promql` is needed", Doc: "Calls an event bad when its span failed."},
	"::objectives[]::availability::service":    {Text: "any", Doc: selectService},
	"::objectives[]::availability::kind":       {OneOf: spanKinds, Doc: "Only spans of this kind count."},
	"::objectives[]::availability::operations": {Text: "names of spans", Doc: selectOperations},
	"::objectives[]::availability::attributes": {Text: "any", Doc: selectAttributes},
	"::objectives[]::latency":                  {Text: "one of `availability`, `latency` and `promql` is needed", Doc: "Calls an event bad when its span took longer than the threshold, whether it failed or not."},
	"::objectives[]::latency::service":         {Text: "any", Doc: selectService},
	"::objectives[]::latency::kind":            {OneOf: spanKinds, Doc: "Only spans of this kind count."},
	"::objectives[]::latency::operations":      {Text: "names of spans", Doc: selectOperations},
	"::objectives[]::latency::attributes":      {Text: "any", Doc: selectAttributes},
	"::objectives[]::latency::threshold":       {Required: true, Text: "above 0", Doc: "The longest duration of a good event."},
	"::objectives[]::promql":                   {Text: "one of `availability`, `latency` and `promql` is needed", Doc: "Counts bad and all events by queries."},
	"::objectives[]::promql::bad":              {Required: true, Text: "PromQL with {{.window}}", Doc: "The number of bad events over {{.window}}."},
	"::objectives[]::promql::total":            {Required: true, Text: "PromQL with {{.window}}", Doc: "The number of all events over {{.window}}."},
	"::objectives[]::promql::resolution":       {Min: "1m", Max: "1h", Text: "whole minutes, 1m to 1h", Doc: "What {{.window}} stands for."},
	"::objectives[]::tiers":                    {Text: "one at least that can fire", Default: "those of [burn rates](../objectives.md)", Doc: "When alerts fire. An empty list means that the objective never alerts."},
	"::objectives[]::tiers[]::severity":        {Required: true, OneOf: []string{"page", "ticket"}, Doc: "How urgent it is."},
	"::objectives[]::tiers[]::long_window":     {Required: true, Text: "whole minutes, longer than `short_window`, at most the objective's `window`", Doc: "The window whose burn rate shows that the loss matters."},
	"::objectives[]::tiers[]::short_window":    {Required: true, Text: "whole minutes, at least 1m", Doc: "The window whose burn rate shows that the loss goes on."},
	"::objectives[]::tiers[]::budget":          {Text: "above 0, at most 100; this or `factor`", Doc: "The share of the error budget, in percent, whose loss within `long_window` fires the tier."},
	"::objectives[]::tiers[]::factor":          {Text: "above 0; this or `budget`", Doc: "The burn rate from which on the tier fires."},
	"::objectives[]::min_bad_events":           {Min: "0", Doc: "The fewest bad events in its long window for a tier to fire."},
	"::objectives[]::keep_firing_for":          {Text: "not negative", Doc: "How long a tier counts as active after its burn rates fell below its factor."},
	"::objectives[]::receivers":                {Text: "names of `receivers`", Default: "all", Doc: "The receivers that are told of its alerts."},
	"::receivers":                              {Text: "no two with one name", Doc: "Who is told of alerts."},
	"::receivers[]::name":                      {Required: true, Text: "1 to 128 letters, digits, dots, dashes or underscores", Doc: "What objectives and the dashboard call the receiver."},
	"::receivers[]::webhook":                   {Text: "`endpoint` is an http or https URL, `timeout` above 0", Doc: "The HTTP client that posts [alerts](../alerts.md)."},
	"::receivers[]::send_resolved":             {Doc: "Whether the receiver is told also when an alert is over."},
	"::receivers[]::severities":                {Text: "at least one of page and ticket", Doc: "The severities that the receiver is told of."},
}

// webRules are those of extensions::web.
var webRules = ruleSet{
	"":                       {Doc: "The dashboard and the API."},
	"::base_path":            {Text: "segments of letters, digits and ._~-, each after a slash; empty is the root", Doc: "The path prefix below which everything is served, for a reverse proxy that hands on the whole path."},
	"::hosts":                {Text: "names, *.example.com for all below one, * for any", Doc: "The names by which people and programs reach the listener, beside localhost, that of `endpoint`, that of `slo::external_url`, and IP addresses. A request with another name is refused (421), against DNS rebinding."},
	"::operators":            {Text: "not empty; only with `auth`", Doc: "The subjects, as the extension of `auth` names them, from whom changes are taken: reload, promote, retry, drain. An extension that names nobody counts as a subject by its ID. Without `auth` changes are taken from loopback only."},
	"::max_connections":      {Min: "8"},
	"::max_header_size":      {Min: "4KiB", Max: "1MiB"},
	"::reads":                {Doc: "What requests for traces and objectives take. Those for metrics have `tsdb::query`."},
	"::reads::queue":         {Min: "0", Doc: "How many wait for their turn before others are refused. With 0 what cannot run at once is refused."},
	"::reads::queue_timeout": {Text: "above 0", Doc: "How long one waits for its turn."},
	"::reads::memory":        {Min: "8MiB", Zero: "a sixteenth of GOMEMLIMIT, 16MiB to 128MiB", Doc: "Memory that all of them share."},
	"::reads::timeout":       {Text: "above 0", Doc: "How long one may take."},
}
