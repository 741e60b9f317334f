package main

// objectives is the dashboard of the objectives: their budgets, their burn rates, their alerts.
var objectives = board{
	file: "objectives.json", uid: "slowburn-objectives", title: "slowburn / objectives",
	description: "Error budgets and burn rates, as the receiver slo_metrics sends them after each evaluation. docs/objectives.md has the arithmetic.",
	picks: picks{
		where: `service=~"$service",objective=~"$objective"`, // an objective about all services has no service
		variables: []pick{
			{"service", "Service", `label_values(slowburn_slo_objective_ratio, service)`},
			{"objective", "Objective", `label_values(slowburn_slo_objective_ratio{service=~"$service"}, objective)`},
		},
	},
	rows: []row{
		{"At a glance", []panel{
			{title: "Objectives", unit: count, number: true, description: "Objectives that are evaluated.", queries: []query{
				{`count(count by (objective) (slowburn_slo_objective_ratio{$where}))`, ""}}},
			{title: "Paging", unit: count, number: true, alarm: 1, description: "Alerts that fire with severity page.", queries: []query{
				{`count(slowburn_slo_alerts{alertstate="firing",severity="page",$where}) or vector(0)`, ""}}},
			{title: "Tickets", unit: count, number: true, warn: 1, description: "Alerts that fire with severity ticket.", queries: []query{
				{`count(slowburn_slo_alerts{alertstate="firing",severity="ticket",$where}) or vector(0)`, ""}}},
			{title: "Budgets spent", unit: count, number: true, warn: 1, description: "Objectives without an error budget left.", queries: []query{
				{`count(slowburn_slo_error_budget_remaining_ratio{$where} <= 0) or vector(0)`, ""}}},
			{title: "Without data", unit: count, number: true, warn: 1, description: "Objectives that are not measured: their figures end with their last data.", queries: []query{
				{`count(slowburn_slo_state{state="no_data",$where}) or vector(0)`, ""}}},
			{title: "Not evaluated", unit: count, number: true, alarm: 1, description: "Objectives whose queries fail.", queries: []query{
				{`count(slowburn_slo_state{state="error",$where}) or vector(0)`, ""}}},
		}},
		{"Error budgets", []panel{
			{title: "Remaining", unit: share, negative: true, description: "Share of the error budget that is left over the objective's window; below 0 it is overspent.", queries: []query{
				{`slowburn_slo_error_budget_remaining_ratio{$where}`, "{{objective}}"}}},
			{title: "Least remaining", unit: share, negative: true, description: "The ten objectives with the least of their budgets left.", queries: []query{
				{`bottomk(10, slowburn_slo_error_budget_remaining_ratio{$where})`, "{{objective}}"}}},
			{title: "Gone in", unit: seconds, description: "Time until the budget is spent, at the highest of the tiers' burn rates. Objectives that do not burn have no line.", queries: []query{
				{`clamp_min(slowburn_slo_error_budget_exhaustion_timestamp_seconds{$where} - time(), 0)`, "{{objective}}"}}},
		}},
		{"Burn rates", []panel{
			{title: "Over 5 minutes", unit: count, description: "1 spends exactly the budget over the objective's window; 14.4 spends 2 % of a 30-day budget in an hour.", queries: []query{
				{`slowburn_slo_burn_rate_ratio{window="5m",$where}`, "{{objective}}"}}},
			{title: "Over an hour", unit: count, queries: []query{
				{`slowburn_slo_burn_rate_ratio{window="1h",$where}`, "{{objective}}"}}},
			{title: "Over 6 hours", unit: count, queries: []query{
				{`slowburn_slo_burn_rate_ratio{window="6h",$where}`, "{{objective}}"}}},
		}},
		{"Promises and what came of them", []panel{
			{title: "Error ratio over an hour", unit: share, description: "Share of bad events.", queries: []query{
				{`slowburn_slo_error_ratio{window="1h",$where}`, "{{objective}}"}}},
			{title: "Allowed error ratio", unit: share, description: "1 minus the objective.", queries: []query{
				{`1 - slowburn_slo_objective_ratio{$where}`, "{{objective}}"}}},
			{title: "Since measured", unit: seconds, description: "Time since the last minute that was measured.", queries: []query{
				{`time() - slowburn_slo_last_measured_timestamp_seconds{$where}`, "{{objective}}"}}},
			{title: "Alerts", unit: count, description: "Alerts that are pending or firing.", queries: []query{
				{`slowburn_slo_alerts{$where}`, "{{objective}} {{severity}} {{alertstate}}"}}},
			{title: "Policy levels", unit: count, description: "Objectives by the level of the budget policy.", queries: []query{
				{`count by (policy) (slowburn_slo_info{$where})`, "{{policy}}"}}},
			{title: "Events", unit: perSecond, description: "Events of objectives that count spans, and the bad ones among them.", queries: []query{
				{`sum by (objective) (rate(slowburn_sli_events_total{objective=~"$objective"}[$__rate_interval])) and on (objective) slowburn_slo_objective_ratio{$where}`, "{{objective}}"},
				{`sum by (objective) (rate(slowburn_sli_bad_events_total{objective=~"$objective"}[$__rate_interval])) and on (objective) slowburn_slo_objective_ratio{$where}`, "{{objective}} bad"}}},
		}},
	},
}
