// Objectives, budgets and tiers in sentences.

import type {
  BudgetPolicy,
  Indicator,
  Meter,
  Objective,
  ObjectivePromise,
  ObjectiveRow,
  Tier,
} from "../api/types";
import * as f from "../lib/format";

const NOUNS: Record<string, string> = {
  server: "server requests",
  client: "outgoing calls",
  consumer: "consumed messages",
  producer: "sent messages",
  internal: "internal operations",
};

/** The events that an indicator counts: "server requests", "consumed messages". */
export function eventsNoun(i: Pick<Indicator, "type" | "kind">): string {
  if (i.type === "promql") return "events";
  return NOUNS[i.kind.toLowerCase()] ?? "spans";
}

/** The indicator's selection: " for POST /checkout where http.route = /checkout". Empty if it selects all events. */
export function selection(i: Indicator): string {
  const operations = i.operations.length ? ` for ${list(i.operations, "or")}` : "";
  const attributes = Object.entries(i.attributes).map(([k, v]) => `${k} = ${v}`);
  return operations + (attributes.length ? ` where ${list(attributes, "and")}` : "");
}

function list(items: string[], last: string): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} ${last} ${items.at(-1)}`;
}

/** What good events do: "succeed", "take at most 300 ms". */
export function goodVerb(i: Pick<Indicator, "type" | "threshold_ms">): string {
  if (i.type === "latency") return `take at most ${f.durationMs(i.threshold_ms)}`;
  return i.type === "promql" ? "are good" : "succeed";
}

/** A promise of a row in a few words: "server requests succeed". */
export function promiseWords(p: ObjectivePromise): string {
  const type = p.type as Indicator["type"];
  if (type === "promql") return "events that Prometheus queries count are good";
  return `${eventsNoun({ type, kind: p.kind ?? "" })} ${goodVerb({ type, threshold_ms: p.threshold_ms ?? 0 })}`;
}

const SECONDS: Record<string, number> = { d: 86_400, h: 3600, m: 60, s: 1 };

/** The length of a window such as 30d or 1h30m, in seconds. */
export function windowSeconds(window: string): number {
  let sum = 0;
  for (const [, n, unit] of window.matchAll(/(\d+)([dhms])/g)) sum += Number(n) * SECONDS[unit];
  return sum;
}

/**
 * The sentence of a row that burns: "Burns at 21.4× over 1h: the budget is spent in 5 h 43 m." It is about the longest window over its
 * factor, of those that page if any does; empty if none is.
 */
export function burningWords(row: ObjectiveRow, meter: Meter, window: number): string {
  const over = meter.windows
    .map((w, i) => ({ ...w, rate: row.burn_rates[i] ?? 0 }))
    .filter((w) => w.factor !== null && w.rate >= w.factor);
  const worst = over.findLast((w) => w.severity === "page") ?? over.at(-1);
  if (!worst) return "";
  const burns = `Burns at ${f.burnRate(worst.rate)} over ${worst.window}`;
  const left = row.remaining_ratio ?? 0;
  return left > 0
    ? `${burns}: the budget is spent in ${f.durationSeconds((left * window) / worst.rate)}.`
    : `${burns}.`;
}

/** The objective as a promise: "99.9 % of checkout's server requests succeed over 30 d." */
export function promise(o: Objective): string {
  const i = o.indicator;
  const whose = o.service ? `${o.service}’s ` : "";
  return `${f.percent(o.target)} of ${whose}${eventsNoun(i)}${selection(i)} ${goodVerb(i)} over ${windowWords(o)}.`;
}

/** What the promise allows: "Up to 0.1 % may fail: 43.2 min of full outage, or 1,234 of 1.2M events." */
export function allowance(o: Objective): string {
  const verb = o.indicator.type === "latency" ? "may be slower" : "may fail";
  const outage = f.durationSeconds(o.budget.total_minutes * 60);
  const events = o.events.total
    ? `, or ${f.count(o.budget.allowed_events)} of the ${f.count(o.events.total)} ${eventsNoun(o.indicator)} seen`
    : "";
  return `Up to ${f.percent(1 - o.target)} ${verb}: as much as ${outage} of full outage${events}.`;
}

/** How many services a hint names. */
const HINT_SERVICES = 12;

/** The service of an objective, if no span of that service was counted: it may be misspelt. */
export function serviceHint(o: Objective, counted: string[]): string {
  const service = o.indicator.service ?? "";
  if (o.indicator.type === "promql") return "";
  if (counted.length === 0) return "No span has come since the start.";
  const more = counted.length > HINT_SERVICES ? ` and ${counted.length - HINT_SERVICES} more` : "";
  const those = `${[...counted].sort().slice(0, HINT_SERVICES).join(", ")}${more}`;
  if (!service)
    return `Spans of ${those} have come, and none matches: check the kind, operations and attributes.`;
  if (counted.includes(service))
    return `Spans of ${service} have come, and none matches: check the kind, operations and attributes.`;
  return `No span of a service ${service} has come. Services since the start: ${those}.`;
}

export function windowWords(o: Objective): string {
  return f.durationSeconds(o.window_seconds);
}

export const POLICY_NAME: Record<BudgetPolicy, string> = {
  normal: "Normal",
  cautious: "Cautious",
  freeze: "Freeze",
  exhausted: "Exhausted",
};

/** The advice to the team at a level of the budget policy. */
export const POLICY_ASKS: Record<BudgetPolicy, string> = {
  normal: "More than half of the budget is left: deploy normally.",
  cautious: "Between 10 and 50 % is left: deploy slower, with extra review.",
  freeze:
    "Less than 10 % is left: freeze features, ship reliability fixes only, write a postmortem for each new incident.",
  exhausted: "The budget is spent: no deploys until it is restored, and escalate.",
};

/** A tier in a sentence. */
export function tierWords(t: Tier): string {
  return `${t.severity === "page" ? "Page" : "Ticket"} when ${f.percent(t.budget_percent / 100)} of the budget would go in ${t.long_window}`;
}

/** The windows of the chart: of detection (5m), of the pages (1h, 6h) and of the slow ticket (3d). */
const CHART_WINDOWS = ["5m", "1h", "6h", "3d"];

/** The windows whose burn rates the chart shows: those above or, for tiers with other windows, theirs, the shortest first. */
export function chartWindows(o: Objective): string[] {
  const watched = (w: string) => o.tiers.some((t) => t.long_window === w || t.short_window === w);
  if (o.tiers.length === 0 || CHART_WINDOWS.every(watched)) return CHART_WINDOWS;
  return o.burn_rates
    .filter((b) => watched(b.window))
    .sort((a, b) => a.window_seconds - b.window_seconds)
    .slice(0, CHART_WINDOWS.length)
    .map((b) => b.window);
}
