// The order of objectives by urgency.

import type { Objective } from "../api/types";
import { budgetLeft } from "./budget";

/** The states of a row, from worst to best. */
export type Standing = "page" | "ticket" | "pending" | "error" | "overspent" | "low" | "ok" | "no_data";

/** An objective with a smaller share of its budget left is not called healthy, even without an alert: the policy says freeze. */
const LOW = 0.1;

export function standing(o: Objective): Standing {
  if (o.alert.state === "firing") return o.alert.severity === "page" ? "page" : "ticket";
  if (o.alert.state === "pending") return "pending";
  const left = budgetLeft(o) ?? 1;
  if (o.state !== "ok" || left >= LOW) return o.state;
  return left < 0 ? "overspent" : "low";
}

const RANK: Record<Standing, number> = {
  page: 0,
  ticket: 1,
  pending: 2,
  error: 3,
  overspent: 4,
  low: 5,
  ok: 6,
  no_data: 7,
};

/** Objectives that are no longer measured come before healthy ones; those that never were come last. */
function rank(o: Objective): number {
  const s = standing(o);
  return s === "no_data" && budgetLeft(o) !== null ? RANK.ok - 0.5 : RANK[s];
}

/** Firing pages, firing tickets, pending alerts, failed evaluations; then the least budget left. */
export function byUrgency(a: Objective, b: Objective): number {
  return (
    rank(a) - rank(b) ||
    Number(pendsAsPage(b)) - Number(pendsAsPage(a)) ||
    (budgetLeft(a) ?? Infinity) - (budgetLeft(b) ?? Infinity) || // NaN where both are unknown
    a.name.localeCompare(b.name)
  );
}

function pendsAsPage(o: Objective): boolean {
  return o.alert.state === "pending" && o.alert.severity === "page";
}

export function sortByUrgency(objectives: Objective[]): Objective[] {
  return [...objectives].sort(byUrgency);
}

export type Tally = Record<Standing, number>;

export function tally(objectives: Objective[]): Tally {
  const t: Tally = { page: 0, ticket: 0, pending: 0, error: 0, overspent: 0, low: 0, ok: 0, no_data: 0 };
  for (const o of objectives) t[standing(o)]++;
  return t;
}

/** The parts of the sentence above the list, the worst state first. */
export function headline(t: Tally): { text: string; standing: Standing | null }[] {
  const parts: { text: string; standing: Standing | null }[] = [];
  const say = (standing: Standing, text: string) => {
    if (t[standing] > 0) parts.push({ text, standing });
  };
  say("page", `${t.page} paging`);
  say("ticket", `${t.ticket} ticket${t.ticket > 1 ? "s" : ""} firing`);
  say("pending", `${t.pending} pending`);
  say("error", `${t.error} not evaluated`);
  say("overspent", t.overspent === 1 ? "1 budget overspent" : `${t.overspent} budgets overspent`);
  say("low", `${t.low} low on budget`);
  if (parts.length > 0) say("ok", `${t.ok} healthy`);
  else if (t.ok > 0) say("ok", t.ok === 1 ? "The objective is healthy" : `All ${t.ok} are healthy`);
  else return [{ text: "No data", standing: null }];
  say("no_data", `${t.no_data} without data`);
  return parts;
}

/** Whether a row matches what was typed: every word, somewhere in its name, service, description or labels. */
export function matches(o: Objective, query: string): boolean {
  const labels = Object.entries(o.labels).map(([k, v]) => `${k}=${v}`);
  const text = [o.name, o.service, o.description, ...labels].join("\n").toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
