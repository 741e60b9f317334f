// What of an error budget there is to show.

import type { Objective } from "../api/types";

/** The share of the budget that is left, negative when overspent; null without events to compute it from. */
export function budgetLeft(o: Objective): number | null {
  return o.events.total > 0 ? o.budget.remaining_ratio : null;
}
