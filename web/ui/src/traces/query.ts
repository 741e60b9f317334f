// The search form's state is the URL: a search can be linked to, and Back undoes it.

import type { TraceQuery } from "../api/endpoints";
import { parseDuration, resolveRange, type TimeRange } from "../lib/time";

export const PAGE_SIZE = 50;
export const DEFAULT_RANGE = "1h";
export const RANGES: [string, string][] = [
  ["15m", "Last 15 minutes"],
  ["1h", "Last hour"],
  ["6h", "Last 6 hours"],
  ["1d", "Last day"],
  ["3d", "Last 3 days"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
];

/** The range choices, with the URL's own range among them even where it is not a usual one. */
export function rangeChoices(current: string): [string, string][] {
  if (RANGES.some(([r]) => r === current) || parseDuration(current) === null) return RANGES;
  return [...RANGES, [current, `Last ${current}`]];
}

/** The parameters of the search that a URL asks for. Durations that cannot be read are left out. */
export function toQuery(params: URLSearchParams, now: Date): TraceQuery & { range: TimeRange } {
  const range = resolveRange(params, DEFAULT_RANGE, now);
  const text = (key: string) => params.get(key) ?? undefined;
  const duration = (key: string) => (parseDuration(params.get(key) ?? "") === null ? undefined : text(key));
  return {
    service: text("service"),
    operation: text("operation"),
    min_duration: duration("min_duration"),
    max_duration: duration("max_duration"),
    error: params.get("error") === "true" || undefined,
    match: params.get("match") === "trace" ? "trace" : undefined,
    policy: text("policy"),
    start: range.start.toISOString(),
    end: range.end.toISOString(),
    limit: PAGE_SIZE,
    range,
  };
}

/** The error in a typed duration; empty if it is valid. */
export function durationError(text: string): string {
  return text === "" || parseDuration(text) !== null ? "" : "A duration needs a unit: 100ms, 1.5s, 2m";
}

/** The trace ID in a pasted text (a bare ID, a traceparent, or a URL with one), or null. */
export function findTraceId(text: string): string | null {
  const s = text.trim().toLowerCase();
  const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(s);
  if (traceparent) return traceparent[1];
  const bare = s.replace(/-/g, "");
  if (/^[0-9a-f]{1,32}$/.test(bare)) return bare.padStart(32, "0"); // leading zeros are often cut
  return /(?:^|[^0-9a-f])([0-9a-f]{32})(?![0-9a-f])/.exec(s)?.[1] ?? null;
}
