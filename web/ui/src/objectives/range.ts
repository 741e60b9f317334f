// The time range of an objective's page, kept in the URL: range=6h, or start and end after a zoom.

import type { Objective } from "../api/types";
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
