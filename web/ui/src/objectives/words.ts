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
import { amount } from "./unit";

const NOUNS: Record<string, string> = {
  server: "server requests",
  client: "outgoing calls",
  consumer: "consumed messages",
  producer: "sent messages",
  internal: "internal operations",
};

/** The events that an indicator counts: "server requests", "consumed messages". */
export function eventsNoun(i: Pick<Indicator, "type" | "kind">): string {
  if (i.type === "promql" || i.type === "composite") return "events";
  return NOUNS[i.kind.toLowerCase()] ?? "spans";
}

/** True if the indicator's events are spans, so that they can be missed for want of spans. */
export function countsSpans(i: Indicator): boolean {
  return i.type !== "promql" && i.type !== "composite";
}

/** True if the objective's counts are those of events, so that parts of them are known; those of slices and sums are not. */
export function hasParts(i: Indicator): boolean {
  return i.unit === "events" && i.type !== "composite";
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
  return i.type === "availability" ? "succeed" : "are good";
}

/** A promise of a row in a few words: "server requests succeed". */
export function promiseWords(p: ObjectivePromise): string {
  const type = p.type as Indicator["type"];
  if (type === "promql") return "what Prometheus queries count is good";
  if (type === "composite") return "what other objectives count is good";
  if (type === "throughput") return "minutes have enough traffic";
  if (type === "freshness") return "minutes have the usual traffic";
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

/** The subject of a promise, "minutes are good", and its details, ": each has at least 3,000 server requests". */
function claim(i: Indicator, whose: string): { subject: string; detail: string } {
  const events = `${whose}${eventsNoun(i)}${selection(i)}`;
  if (i.slice_seconds > 0)
    return {
      subject: `${f.durationSeconds(i.slice_seconds)} slices are good`,
      detail: `: at least ${f.percent(i.slice_target)} of ${ratioNoun(i, events)} in each`,
    };
  if (i.type === "throughput")
    return {
      subject: "minutes are good",
      detail: `: each has at least ${f.count(i.minimum_per_minute)} ${whose ? "of " : ""}${events}`,
    };
  if (i.type === "freshness")
    return {
      subject: "minutes are good",
      detail: `: ${events} come as usual at that hour of the week`,
    };
  if (i.ratio_query)
    return {
      subject: "minutes are good",
      detail: ", each in part: but for the error ratio that a Prometheus query gives",
    };
  if (i.type === "composite") {
    const parts = Object.entries(i.components)
      .sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
      .map(([name, weight]) => (weight === 1 ? name : `${name} (times ${weight})`));
    return { subject: `${i.unit || "events"} are good`, detail: `: those of ${list(parts, "and")}` };
  }
  return { subject: `${events} ${goodVerb(i)}`, detail: "" };
}

/** The events that a slice needs: "checkout’s server requests succeed", or the time that an error ratio leaves. */
function ratioNoun(i: Indicator, events: string): string {
  return i.ratio_query
    ? "the time is good by the error ratio that a Prometheus query gives,"
    : `${events} ${goodVerb(i)}`;
}

/** The objective as a promise: "99.9 % of checkout's server requests succeed over 30 d." */
export function promise(o: Objective): string {
  const { subject, detail } = claim(o.indicator, o.service ? `${o.service}’s ` : "");
  return `${f.percent(o.target)} of ${subject} over ${windowWords(o)}${detail}.`;
}

/** What the promise allows: "Up to 0.1 % may fail: 43.2 min of full outage, or 1,234 of 1.2M events." */
export function allowance(o: Objective): string {
  const i = o.indicator;
  const whole = i.unit === "events" && i.type !== "composite";
  const verb = !whole ? "may be bad" : i.type === "latency" ? "may be slower" : "may fail";
  const noun = i.unit === "events" ? eventsNoun(i) : i.unit;
  const outage = f.durationSeconds(o.budget.total_minutes * 60);
  const seen = o.events.total
    ? `, or ${amount(o, o.budget.allowed_events)} of the ${amount(o, o.events.total)} ${noun} seen`
    : "";
  return `Up to ${f.percent(1 - o.target)} ${verb}: as much as ${outage} of full outage${seen}.`;
}

/** How many services a hint names. */
const HINT_SERVICES = 12;

/** The service of an objective, if no span of that service was counted: it may be misspelt. */
export function serviceHint(o: Objective, counted: string[]): string {
  const service = o.indicator.service ?? "";
  if (!countsSpans(o.indicator)) return "";
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
