// A breakdown in sentences.

import type { Breakdown, BreakdownRow, Dimension } from "../api/types";
import * as f from "../lib/format";

/** The dimensions, in the order in which a cause is looked for. */
export const DIMENSIONS: Dimension[] = ["version", "operation", "service", "reason"];

export const TITLES: Record<Dimension, string> = {
  service: "Service",
  operation: "Operation",
  version: "Version",
  reason: "Reason",
};

export const OTHER = "__other__";

/** A value as people read it. */
export function valueText(value: string): string {
  if (value === OTHER) return "others";
  return value || "(none)";
}

/** The row that stands out: most of the bad events, and much more of them than of all events. */
export function culprit(b: Breakdown): BreakdownRow | null {
  const [row] = b.rows;
  const value = row?.values[b.by[0]];
  if (!row || !value || value === OTHER || !row.bad_share || row.bad_share < 0.5) return null;
  if (b.by[0] === "reason") return row;
  return row.bad_share >= 1.5 * (row.total_share ?? 1) ? row : null;
}

/** "Version 1.9.1: 12.4 % of its events are bad, 97 % of all bad events" */
function named(b: Breakdown, row: BreakdownRow): string {
  const dimension = b.by[0];
  const name = `${TITLES[dimension]} ${row.values[dimension]}`;
  const share = `${f.percent(row.bad_share, 2)} of all bad events`;
  if (dimension === "reason") return `${name}: ${share}`;
  return `${name}: ${f.percent(row.error_ratio)} of its events are bad, ${share}`;
}

/** What the breakdowns of one range have found, one sentence for each dimension that has a culprit, without the time. */
export function findings(breakdowns: Breakdown[]): string[] {
  if (!breakdowns.some((b) => b.events.bad > 0)) return [];
  return breakdowns.flatMap((b) => {
    const row = culprit(b);
    return row ? [named(b, row)] : [];
  });
}

/** True if nothing in the breakdowns has a name, as of a query that leaves no labels. */
export function nameless(breakdowns: Breakdown[]): boolean {
  return breakdowns.every((b) => b.rows.every((r) => b.by.every((d) => !r.values[d])));
}

/** How much of the bad events a breakdown cannot attribute, in a sentence; empty if it has them all. */
export function uncoveredWords(b: Breakdown): string {
  const { bad, total } = b.uncovered;
  if (bad === 0 && total === 0) return "";
  return `The parts of ${f.exact(bad)} of the ${f.exact(b.events.bad)} bad events, and of ${f.count(total)} of all events, were not kept: they are older than the breakdown, or were given up for slo::max_size.`;
}

/** Per minute: "36/min", "0.12/min". */
export function perMinute(n: number): string {
  return n === 0 ? "0" : `${n < 10 ? f.significant(n, 2) : f.count(n)}/min`;
}
