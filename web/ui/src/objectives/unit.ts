// The units that objectives count in: events, slices of time, minutes.

import type { Indicator, Objective } from "../api/types";
import * as f from "../lib/format";

/** A number of an objective's counts, in its unit. A minute may be counted in parts. */
export function inUnits(i: Indicator, n: number): number {
  return n / (i.unit_parts || 1);
}

/** A number of an objective's counts in words, for a figure. */
export function amount(o: Objective, n: number): string {
  return f.count(inUnits(o.indicator, n));
}

/** The same exactly, for a tooltip. */
export function exactAmount(o: Objective, n: number): string {
  return f.exact(inUnits(o.indicator, n));
}

/** The name of a unit at the beginning of a heading: "Events", "Slices", "Minutes". */
export function unitHeading(i: Indicator): string {
  const unit = i.unit || "events";
  return unit.charAt(0).toUpperCase() + unit.slice(1);
}
