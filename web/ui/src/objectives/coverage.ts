// How much of an objective's window was measured, in sentences, and figures that are known up to what was not.

import type { Gap, Objective } from "../api/types";
import { count, durationSeconds } from "../lib/format";
import { shortDate } from "../lib/time";
import type { Budgeted } from "./budget";

const REASON: Record<Gap["reason"], string> = {
  gateway_down: "gateway down",
  database_away: "database away",
  no_value: "the query gave no value",
  clock_jump: "the clock jumped",
  counted_late: "database away, counted when it was back",
};

export const reasonWords = (g: Gap) => REASON[g.reason];

export const gapSeconds = (g: Gap) => (Date.parse(g.to) - Date.parse(g.from)) / 1000;

/** "2 m of 30 d seen" of a window that is younger than its name, else empty. */
export function seenWords(o: Budgeted): string {
  if (!o.coverage?.young || !o.window_seconds) return "";
  return `${durationSeconds(o.coverage.seen_seconds)} of ${durationSeconds(o.window_seconds)} seen`;
}

/** A single figure where what was not measured does not show in it, else the interval: "2.1×", "2.1–5.3×". */
export function interval(
  low: number | null,
  high: number | null,
  format: (x: number | null) => string,
): string {
  const from = format(low);
  const to = format(high);
  return high === null || from === to ? from : `${from}–${to}`;
}

/** Gaps that are named in the sentence; the list has the others. */
const NAMED = 2;

/** "Measured 29 d 22 h of 30 d; not measured: 1 h 12 m on Nov 12 (gateway down)." Empty before anything was seen. */
export function coverageWords(o: Objective): string {
  const c = o.coverage;
  if (c.seen_seconds === 0) return "";
  const measured = `Measured ${durationSeconds(c.covered_seconds)} of ${durationSeconds(o.window_seconds)}`;
  const young = c.young
    ? `, since counting began ${durationSeconds(c.seen_seconds)} before the last evaluation`
    : "";
  const missing = (c.gaps ?? []).filter((g) => g.reason !== "counted_late");
  const named = missing
    .slice(0, NAMED)
    .map((g) => `${durationSeconds(gapSeconds(g))} on ${shortDate(new Date(g.from))} (${reasonWords(g)})`);
  const rest = missing.length - named.length;
  if (rest > 0) named.push(`${rest} more`);
  const gone = c.seen_seconds - c.covered_seconds;
  const gaps = named.length > 0 ? named.join(", ") : gone > 0 ? durationSeconds(gone) : "";
  const lost =
    c.lost_spans > 0 ? ` ${count(c.lost_spans)} spans were dropped by their senders or refused.` : "";
  return `${measured}${young}${gaps && `; not measured: ${gaps}`}.${lost}`;
}
