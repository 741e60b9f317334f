// The position of a span's bar in the time column, in percent of the column's width.

import type { Extent } from "./model";

export interface Bar {
  left: number;
  width: number;
}

/** The part of [start, end] (ns) that a view shows; null when it shows none of it or the times are unknown. */
export function barOf(start: number, end: number, view: Extent): Bar | null {
  if (!(end >= view.from && start <= view.to)) return null; // false for NaN, too
  const scale = 100 / (view.to - view.from);
  const left = Math.max(0, (start - view.from) * scale);
  const right = Math.min(100, (end - view.from) * scale);
  return { left, width: Math.max(0, right - left) };
}

/** The side of a bar with room for its label: after it, before it, else on it. */
export function labelSide({ left, width }: Bar): "after" | "before" | "inside" {
  if (left + width < 86) return "after";
  return left > 14 ? "before" : "inside";
}
