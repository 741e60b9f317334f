package main

// gateway is the dashboard of a gateway: spans that come in, are buffered and go out, and their cost.
var gateway = board{
	picks: gateways,
	file:  "gateway.json", uid: "slowburn-gateway", title: "slowburn / gateway",
	description: "Spans in, spans buffered, spans out, and the figures beside them. docs/operations.md has a runbook for each.",
	rows: []row{
		{"At a glance", []panel{
			{title: "Accepted", unit: perSecond, number: true, description: "Spans per second that were acknowledged.", queries: []query{
				{`sum(rate(otelcol_processor_tail_sampling_appended_spans{$where}[$__rate_interval]))`, ""}}},
			{title: "Refused", unit: perSecond, number: true, alarm: 0.001, description: "Spans per second that were refused with a retryable error.", queries: []query{
				{`sum(rate(otelcol_processor_tail_sampling_refused_spans{$where}[$__rate_interval]))`, ""}}},
			{title: "Lost", unit: count, number: true, alarm: 1, description: "Acknowledged spans that are gone, since the start.", queries: []query{
				{`sum(otelcol_processor_tail_sampling_lost_spans{$where})`, ""}}},
			{title: "Fullest budget", unit: share, number: true, warn: 0.85, alarm: 0.95, description: "Memory or disk, whichever is fuller. From 90 % on traces are decided early.", queries: []query{
				{`max(otelcol_processor_tail_sampling_buffered_bytes{$where} / otelcol_processor_tail_sampling_memory_budget_bytes{$where}` +
					` or otelcol_processor_tail_sampling_disk_bytes{$where} / (otelcol_processor_tail_sampling_disk_budget_bytes{$where} > 0))`, ""}}},
			{title: "Longest backlog", unit: seconds, number: true, warn: 60, alarm: 300, description: "How long the oldest kept trace has waited for a destination.", queries: []query{
				{`max(otelcol_processor_tail_sampling_backlog_age_seconds{$where})`, ""}}},
			{title: "Evaluation lag", unit: seconds, number: true, warn: 180, alarm: 300, description: "Time since the end of the last minute for which every objective was evaluated. A minute and the lateness are normal.", queries: []query{
				{`max(otelcol_extension_slo_evaluation_lag_seconds{$where})`, ""}}},
		}},
		{"Spans in", []panel{
			{title: "Accepted spans", unit: perSecond, description: "Spans of requests that were acknowledged.", queries: []query{
				{`sum by (instance) (rate(otelcol_processor_tail_sampling_appended_spans{$where}[$__rate_interval]))`, "{{instance}}"}}},
			{title: "Received by the doors", unit: perSecond, description: "Spans that receivers passed on, by transport; refused ones are those that a later stage refused.", queries: []query{
				{`sum by (receiver, transport) (rate(otelcol_receiver_accepted_spans{$where}[$__rate_interval]))`, "{{receiver}} {{transport}}"},
				{`sum by (receiver, transport) (rate(otelcol_receiver_refused_spans{$where}[$__rate_interval]))`, "{{receiver}} {{transport}} refused"}}},
			{title: "Refused spans", unit: perSecond, description: "With a retryable error, by reason.", queries: []query{
				{`sum by (reason) (rate(otelcol_processor_tail_sampling_refused_spans{$where}[$__rate_interval]))`, "{{reason}}"}}},
		}},
		{"The buffer", []panel{
			{title: "Memory", unit: bytes, description: "The span log and its index, and the budget for them.", queries: []query{
				{`sum by (instance) (otelcol_processor_tail_sampling_buffered_bytes{$where})`, "{{instance}}"},
				{`sum by (instance) (otelcol_processor_tail_sampling_memory_budget_bytes{$where})`, "{{instance}} budget"}}},
			{title: "Disk", unit: bytes, description: "Files of the span log and its journal, and the budget for them.", queries: []query{
				{`sum by (instance) (otelcol_processor_tail_sampling_disk_bytes{$where})`, "{{instance}}"},
				{`sum by (instance) (otelcol_processor_tail_sampling_disk_budget_bytes{$where})`, "{{instance}} budget"}}},
			{title: "Traces", unit: count, description: "Traces that wait for a decision, that can be revived, and that some destination still lacks.", queries: []query{
				{`sum(otelcol_processor_tail_sampling_sampling_traces_on_memory{$where})`, "undecided"},
				{`sum(otelcol_processor_tail_sampling_revivable_traces{$where})`, "revivable"},
				{`sum(otelcol_processor_tail_sampling_undelivered_traces{$where})`, "undelivered"}}},
			{title: "Spans in the log", unit: count, queries: []query{
				{`sum by (instance) (otelcol_processor_tail_sampling_buffered_spans{$where})`, "{{instance}}"}}},
			{title: "Oldest undecided trace", unit: seconds, description: "Above decision_wait decisions are too slow.", queries: []query{
				{`max by (instance) (otelcol_processor_tail_sampling_oldest_undecided_age_seconds{$where})`, "{{instance}}"}}},
			{title: "Segments", unit: count, description: "Files of the span log, by the place of their bytes.", queries: []query{
				{`sum by (place) (otelcol_processor_tail_sampling_segments{$where})`, "{{place}}"}}},
			{title: "Time per span", unit: seconds, description: "Time in each stage of the buffer, per span that came in.", queries: []query{
				{`sum by (stage) (rate(otelcol_processor_tail_sampling_stage_time_seconds{$where}[$__rate_interval])) / scalar(sum(rate(otelcol_processor_tail_sampling_appended_spans{$where}[$__rate_interval])))`, "{{stage}}"}}},
		}},
		{"Destinations", []panel{
			{title: "Delivered spans", unit: perSecond, queries: []query{
				{`sum by (destination) (rate(otelcol_processor_tail_sampling_delivered_spans{$where}[$__rate_interval]))`, "{{destination}}"}}},
			{title: "Backlog", unit: bytes, description: "Bytes that wait for each destination, and the budget that they share.", queries: []query{
				{`sum by (destination) (otelcol_processor_tail_sampling_backlog_bytes{$where})`, "{{destination}}"},
				{`sum(otelcol_processor_tail_sampling_delivery_budget_bytes{$where})`, "budget"}}},
			{title: "Backlog age", unit: seconds, description: "Time since the decision about the oldest trace that a destination still lacks.", queries: []query{
				{`max by (destination) (otelcol_processor_tail_sampling_backlog_age_seconds{$where})`, "{{destination}}"}}},
			{title: "Backlog in traces", unit: count, description: "Traces that wait for each destination. Those apart failed at each try.", queries: []query{
				{`sum by (destination) (otelcol_processor_tail_sampling_backlog_traces{$where})`, "{{destination}}"},
				{`sum by (destination) (otelcol_processor_tail_sampling_apart_traces{$where})`, "{{destination}} apart"}}},
			{title: "Retries", unit: perSecond, description: "Calls that a destination did not accept and that are repeated.", queries: []query{
				{`sum by (destination) (rate(otelcol_processor_tail_sampling_delivery_retries{$where}[$__rate_interval]))`, "{{destination}}"}}},
			{title: "Since it accepted anything", unit: seconds, queries: []query{
				{`max by (destination) (otelcol_processor_tail_sampling_last_accepted_age_seconds{$where})`, "{{destination}}"}}},
			{title: "Not delivered", unit: count, description: "Spans that a destination will not get: given up, or accepted and not stored. Refused traces wait for slowburn retry.", queries: []query{
				{`sum by (destination) (otelcol_processor_tail_sampling_given_up_spans{$where})`, "{{destination}} given up"},
				{`sum by (destination) (otelcol_processor_tail_sampling_rejected_spans{$where})`, "{{destination}} not stored"},
				{`sum by (destination) (otelcol_processor_tail_sampling_refused_traces{$where})`, "{{destination}} refused traces"}}},
		}},
		{"Numbers", []panel{
			{title: "Spans counted", unit: perSecond, description: "Spans counted by sli, each once, before sampling; and those under __other__ because of a limit.", queries: []query{
				{`sum by (instance) (rate(otelcol_connector_sli_spans{$where}[$__rate_interval]))`, "{{instance}}"},
				{`sum by (label) (rate(otelcol_connector_sli_overflow_spans{$where}[$__rate_interval]))`, "__other__ {{label}}"}}},
			{title: "Series", unit: count, description: "Series that sli emits, and those in the head block of the embedded database.", queries: []query{
				{`sum by (instance) (otelcol_connector_sli_series{$where})`, "{{instance}} sli"},
				{`sum by (instance) (otelcol_extension_tsdb_head_series{$where})`, "{{instance}} database"}}},
			{title: "Samples", unit: perSecond, description: "Samples written to the embedded database, and rejected ones by reason.", queries: []query{
				{`sum by (instance) (rate(otelcol_extension_tsdb_appended_samples{$where}[$__rate_interval]))`, "{{instance}}"},
				{`sum by (reason) (rate(otelcol_extension_tsdb_rejected_samples{$where}[$__rate_interval]))`, "rejected {{reason}}"}}},
			{title: "Query time, 95th percentile", unit: seconds, queries: []query{
				{`histogram_quantile(0.95, sum by (le, instance) (rate(otelcol_extension_tsdb_query_duration_seconds_bucket{$where}[$__rate_interval])))`, "{{instance}}"}}},
			{title: "Evaluation time, 95th percentile", unit: seconds, description: "Of all objectives, once a minute.", queries: []query{
				{`histogram_quantile(0.95, sum by (le, instance) (rate(otelcol_extension_slo_evaluation_duration_seconds_bucket{$where}[5m])))`, "{{instance}}"}}},
			{title: "Evaluation lag", unit: seconds, queries: []query{
				{`max by (instance) (otelcol_extension_slo_evaluation_lag_seconds{$where})`, "{{instance}}"}}},
			{title: "Notifications", unit: count, description: "Notifications that wait for their receiver, and attempts within the last hour by outcome.", queries: []query{
				{`sum by (instance) (otelcol_extension_slo_pending_deliveries{$where})`, "{{instance}} waiting"},
				{`sum by (receiver, outcome) (increase(otelcol_extension_slo_deliveries{$where}[1h]))`, "{{receiver}} {{outcome}}"}}},
			{title: "Failures", unit: perSecond, description: "Flushes that the metrics pipeline refused, and queries of objectives that failed. Later ones make up for both.", queries: []query{
				{`sum(rate(otelcol_connector_sli_failed_flushes{$where}[$__rate_interval]))`, "flushes"},
				{`sum(rate(otelcol_extension_slo_failed_queries{$where}[$__rate_interval]))`, "queries"}}},
		}},
		{"The process", []panel{
			{title: "CPU", unit: count, description: "Cores.", queries: []query{
				{`sum by (instance) (rate(otelcol_process_cpu_seconds{$where}[$__rate_interval]))`, "{{instance}}"}}},
			{title: "Resident memory", unit: bytes, description: "Resident memory. Pages of traces.db are page cache, which the system reclaims when it needs memory.", queries: []query{
				{`sum by (instance) (otelcol_process_memory_rss{$where})`, "{{instance}} resident"},
				{`sum by (instance) (otelcol_process_runtime_heap_alloc_bytes{$where})`, "{{instance}} heap"}}},
			{title: "Uptime", unit: seconds, queries: []query{
				{`max by (instance) (otelcol_process_uptime{$where})`, "{{instance}}"}}},
		}},
	},
}
