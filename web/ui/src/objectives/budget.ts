// Shares of an error budget.

import type { BudgetPolicy } from "../api/types";
import { count, percent, significant } from "../lib/format.ts";

/** The parts of an objective, or of its row, that a budget is shown from. */
export interface Budgeted {
  events: { total: number };
  budget: { remaining_ratio: number; policy: BudgetPolicy };
}

/** The share of the budget that is left, negative when overspent; null without events to compute it from. */
export function budgetLeft(o: Budgeted): number | null {
  return o.events.total > 0 ? o.budget.remaining_ratio : null;
}

/** From this share on an overspent budget is shown as a multiple: 50×, not 4,993 %. */
const MULTIPLE = 10;

/** A negative share of the budget in words: "18 %" "overspent", "spent" "50×" "over". */
export function overspent(left: number): { before: string; amount: string; after: string } {
  const over = -left;
  return over >= MULTIPLE
    ? { before: "spent ", amount: `${over >= 9999.5 ? count(over) : significant(over, 2)}×`, after: " over" }
    : { before: "", amount: percent(over), after: " overspent" };
}
