// The time range of an objective's page, kept in the URL: range=6h, or start and end after a zoom.

import type { History, Objective } from "../api/types";
import { rangeSeconds, resolveRange, stepFor, type TimeRange } from "../lib/time";

export const DEFAULT_RANGE = "6h";

export function rangeOptions(o: Objective): [string, string][] {
  const fixed: [string, string][] = [
    ["1h", "1h"],
    ["6h", "6h"],
    ["1d", "1d"],
    ["3d", "3d"],
  ];
  return [...fixed.filter(([r]) => r !== o.window), [o.window, `${o.window} window`]];
}

/**
 * The range to show, on whole steps of its resolution, so that polls in between ask for the same points and a graph
 * moves by whole steps.
 */
export function shownRange(params: URLSearchParams, now: Date): TimeRange & { step: number } {
  const range = resolveRange(params, DEFAULT_RANGE, now);
  const step = stepFor(rangeSeconds(range));
  const align = (d: Date) => new Date(Math.floor(d.getTime() / (step * 1000)) * step * 1000);
  return { start: align(range.start), end: align(range.end), step };
}

/** The fewest steps that a chart shows: the first minutes are not stretched over all of it. */
const LEAST_STEPS = 15;

/** The range, without the time before the first data if that is more than half of it. */
export function fromFirstData(range: TimeRange, h: History): TimeRange {
  const first = h.points.find((p) => p.total > 0 || p.budget_remaining_ratio !== null);
  if (!first) return range;
  const end = range.end.getTime();
  const since = end - Date.parse(first.time);
  const shown = Math.max(since * 1.05, LEAST_STEPS * h.step_seconds * 1000);
  return since * 2 < end - range.start.getTime() && shown < end - range.start.getTime()
    ? { start: new Date(end - shown), end: range.end }
    : range;
}
