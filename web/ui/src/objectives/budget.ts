// Shares of an error budget.

import type { BudgetPolicy, Tier } from "../api/types";
import { count, percent, significant } from "../lib/format.ts";

/** The parts of an objective, or of its row, that a budget is shown from. */
export interface Budgeted {
  events: { total: number };
  budget: { remaining_ratio: number; remaining_ratio_low?: number; policy: BudgetPolicy };
  /** In seconds. Without it, and without coverage, nothing is said of how much was seen. */
  window_seconds?: number;
  coverage?: { young: boolean; seen_seconds: number };
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

/** The tier over whose long window the budget is spent first: of those that are active or, without one, of all. Null if none burns. */
export function nextExhaustion(tiers: Tier[]): Tier | null {
  const burning = tiers.filter((t) => t.exhaustion_seconds !== null);
  const active = burning.filter((t) => t.active);
  return (active.length ? active : burning).reduce<Tier | null>(
    (first, t) => (first && (first.exhaustion_seconds ?? 0) <= (t.exhaustion_seconds ?? 0) ? first : t),
    null,
  );
}

/** The least share of a budget that its chart shows: one that is overspent 199 times over would leave no line for the rest. */
export const CHART_FLOOR = -1;

/** The values of a budget's chart, none below its floor. */
export function clampedBudget(values: (number | null)[]): (number | null)[] {
  return values.map((v) => (v === null ? null : Math.max(v, CHART_FLOOR)));
}
