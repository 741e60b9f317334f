package main

// sampling is what is kept, by which policy, of which service, and what that costs.
var sampling = board{
	picks: gateways,
	file:  "sampling.json", uid: "slowburn-sampling", title: "slowburn / sampling",
	description: "Kept traces, the reasons, and the cost of each policy and service. docs/reference/decisions.md explains the terms.",
	rows: []row{
		{"At a glance", []panel{
			{title: "Traces decided", unit: perSecond, number: true, queries: []query{
				{`sum(rate(otelcol_processor_tail_sampling_global_count_traces_sampled{$where}[$__rate_interval]))`, ""}}},
			{title: "Kept, of traces", unit: share, number: true, queries: []query{
				{`sum(rate(otelcol_processor_tail_sampling_global_count_traces_sampled{sampled="true",$where}[$__rate_interval])) / sum(rate(otelcol_processor_tail_sampling_global_count_traces_sampled{$where}[$__rate_interval]))`, ""}}},
			{title: "Kept, of spans", unit: share, number: true, queries: []query{
				{`sum(rate(otelcol_processor_tail_sampling_service_spans{way="kept",$where}[$__rate_interval])) / sum(rate(otelcol_processor_tail_sampling_service_spans{way="in",$where}[$__rate_interval]))`, ""}}},
			{title: "Kept, of bytes", unit: share, number: true, queries: []query{
				{`sum(rate(otelcol_processor_tail_sampling_service_bytes{way="kept",$where}[$__rate_interval])) / sum(rate(otelcol_processor_tail_sampling_service_bytes{way="in",$where}[$__rate_interval]))`, ""}}},
			{title: "Decided early", unit: perSecond, number: true, warn: 0.001, description: "Traces decided before decision_wait, because of size, num_traces or memory.", queries: []query{
				{`sum(rate(otelcol_processor_tail_sampling_trace_decisions{trigger=~"size|num_traces|memory",$where}[$__rate_interval]))`, ""}}},
			{title: "Version of the policies", unit: count, number: true, description: "1 at the start; each reload that changes the policies adds one.", queries: []query{
				{`max(otelcol_processor_tail_sampling_policy_version{$where})`, ""}}},
		}},
		{"Decisions", []panel{
			{title: "Traces by decision", unit: perSecond, queries: []query{
				{`sum by (decision) (rate(otelcol_processor_tail_sampling_global_count_traces_sampled{$where}[$__rate_interval]))`, "{{decision}}"}}},
			{title: "Traces by trigger", unit: perSecond, description: "Traces by the event that made their decision due.", queries: []query{
				{`sum by (trigger) (rate(otelcol_processor_tail_sampling_trace_decisions{$where}[$__rate_interval]))`, "{{trigger}}"}}},
			{title: "New traces", unit: perSecond, queries: []query{
				{`sum by (instance) (rate(otelcol_processor_tail_sampling_new_trace_id_received{$where}[$__rate_interval]))`, "{{instance}}"}}},
			{title: "Lateness of decisions, 99th percentile", unit: seconds, description: "The longest delay of a decision in each run.", queries: []query{
				{`histogram_quantile(0.99, sum by (le, instance) (rate(otelcol_processor_tail_sampling_decision_lateness_seconds_bucket{$where}[$__rate_interval])))`, "{{instance}}"}}},
			{title: "Age of traces at their end, 95th percentile", unit: seconds, description: "From the arrival of a trace until none of it is left here, its delivery included.", queries: []query{
				{`histogram_quantile(0.95, sum by (le, instance) (rate(otelcol_processor_tail_sampling_sampling_trace_removal_age_bucket{$where}[$__rate_interval])))`, "{{instance}}"}}},
			{title: "Late spans", unit: perSecond, description: "Spans that came after the decision about their trace; and traces that one of them revived.", queries: []query{
				{`sum by (sampled) (rate(otelcol_processor_tail_sampling_early_releases_from_cache_decision{$where}[$__rate_interval]))`, "sampled {{sampled}}"},
				{`sum(rate(otelcol_processor_tail_sampling_trace_decisions{trigger="revived",$where}[$__rate_interval]))`, "revived traces"}}},
		}},
		{"Policies", []panel{
			{title: "Kept traces by policy", unit: perSecond, description: "By the policy that decided: the one with the least threshold.", queries: []query{
				{`sum by (policy) (rate(otelcol_processor_tail_sampling_count_traces_sampled{sampled="true",$where}[$__rate_interval]))`, "{{policy}}"}}},
			{title: "Kept bytes by policy", unit: bytesPerSec, queries: []query{
				{`sum by (policy) (rate(otelcol_processor_tail_sampling_count_bytes_sampled{sampled="true",$where}[$__rate_interval]))`, "{{policy}}"}}},
			{title: "Kept spans by policy", unit: perSecond, queries: []query{
				{`sum by (policy) (rate(otelcol_processor_tail_sampling_count_spans_sampled{sampled="true",$where}[$__rate_interval]))`, "{{policy}}"}}},
			{title: "Traces that a policy matches", unit: perSecond, queries: []query{
				{`sum by (policy) (rate(otelcol_processor_tail_sampling_policy_traces{contribution="matched",$where}[$__rate_interval]))`, "{{policy}}"}}},
			{title: "Traces that a policy alone keeps", unit: perSecond, description: "Traces that would not be kept without the policy.", queries: []query{
				{`sum by (policy) (rate(otelcol_processor_tail_sampling_policy_traces{contribution="alone",$where}[$__rate_interval]))`, "{{policy}}"}}},
			{title: "Bytes that a policy alone keeps", unit: bytesPerSec, queries: []query{
				{`sum by (policy) (rate(otelcol_processor_tail_sampling_policy_bytes{contribution="alone",$where}[$__rate_interval]))`, "{{policy}}"}}},
			{title: "Reloads", unit: count, description: "Reloads since the start, by outcome.", queries: []query{
				{`sum by (outcome) (otelcol_processor_tail_sampling_policy_reloads{$where})`, "{{outcome}}"}}},
			{title: "Conditions that failed", unit: perSecond, description: "Conditions of policies that could not be evaluated for a span.", queries: []query{
				{`sum(rate(otelcol_processor_tail_sampling_sampling_policy_evaluation_error{$where}[$__rate_interval]))`, "errors"}}},
		}},
		{"Services", []panel{
			{title: "Spans in, ten largest", unit: perSecond, queries: []query{
				{`topk(10, sum by (service) (rate(otelcol_processor_tail_sampling_service_spans{way="in",$where}[$__rate_interval])))`, "{{service}}"}}},
			{title: "Bytes kept, ten largest", unit: bytesPerSec, queries: []query{
				{`topk(10, sum by (service) (rate(otelcol_processor_tail_sampling_service_bytes{way="kept",$where}[$__rate_interval])))`, "{{service}}"}}},
			{title: "Share of spans kept, ten largest", unit: share, queries: []query{
				{`topk(10, sum by (service) (rate(otelcol_processor_tail_sampling_service_spans{way="kept",$where}[$__rate_interval])) / (sum by (service) (rate(otelcol_processor_tail_sampling_service_spans{way="in",$where}[$__rate_interval])) > 0))`, "{{service}}"}}},
		}},
		{"The shadow", []panel{
			{title: "Traces by the shadow's decision", unit: count, description: "Since this version of the policies. Empty without tail_sampling::shadow.", queries: []query{
				{`sum by (decision) (otelcol_processor_tail_sampling_shadow_traces{$where})`, "{{decision}}"}}},
			{title: "Bytes by the shadow's decision", unit: bytes, queries: []query{
				{`sum by (decision) (otelcol_processor_tail_sampling_shadow_bytes{$where})`, "{{decision}}"}}},
			{title: "Traces that only one of the two keeps", unit: count, queries: []query{
				{`sum by (kept_by) (otelcol_processor_tail_sampling_shadow_differences{$where})`, "only {{kept_by}}"}}},
		}},
		{"Kept traces", []panel{
			{title: "Reconstructed traces", unit: perSecond, description: "Reconstructed traces, and those with a clock that needs a correction.", queries: []query{
				{`sum(rate(otelcol_processor_reconstruct_traces{$where}[$__rate_interval]))`, "traces"},
				{`sum(rate(otelcol_processor_reconstruct_corrected_traces{$where}[$__rate_interval]))`, "corrected"}}},
			{title: "Orphan spans", unit: perSecond, description: "Spans whose parent is missing, by cause as far as it is known.", queries: []query{
				{`sum by (cause) (rate(otelcol_processor_reconstruct_orphan_spans{$where}[$__rate_interval]))`, "{{cause}}"}}},
			{title: "Trace store", unit: bytes, description: "Bytes in use of traces.db.", queries: []query{
				{`sum by (instance) (otelcol_exporter_trace_store_used_bytes{$where})`, "{{instance}}"}}},
			{title: "Stored traces", unit: perSecond, description: "Stored traces, and those deleted because of age or size.", queries: []query{
				{`sum(rate(otelcol_exporter_trace_store_stored_traces{$where}[$__rate_interval]))`, "stored"},
				{`sum by (reason) (rate(otelcol_exporter_trace_store_evicted_traces{$where}[$__rate_interval]))`, "evicted by {{reason}}"}}},
		}},
	},
}
