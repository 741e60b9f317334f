import { percent } from "../lib/format";
import { type Budgeted, budgetLeft, overspent } from "../objectives/budget";

/**
 * The rest of the error budget. A full bar is all of it; marks stand at 50 and 10 %, where the policy changes. An
 * overspent budget fills with stripes from the left, by as much as it is overspent.
 */
export function BudgetBar({ objective: o }: { objective: Budgeted }) {
  const left = budgetLeft(o);
  if (left === null)
    return <div class="budget budget-none" role="img" aria-label="No budget figure: no events" />;
  const width = `${Math.min(1, Math.abs(left)) * 100}%`;
  const label = left < 0 ? Object.values(overspent(left)).join("") : `${percent(left)} of the budget left`;
  return (
    <div
      class={`budget policy-${o.budget.policy}`}
      role="img"
      aria-label={`${label}, policy ${o.budget.policy}`}
    >
      <div class={left < 0 ? "budget-fill over" : "budget-fill"} style={{ width }} />
      <i class="budget-mark" style={{ left: "10%" }} />
      <i class="budget-mark" style={{ left: "50%" }} />
    </div>
  );
}

/** "37.2 % left", "18 % overspent", "spent 50× over". */
export function BudgetWords({ objective: o }: { objective: Budgeted }) {
  const left = budgetLeft(o);
  if (left === null) return <span class="faint">no events yet</span>;
  const over = left < 0 ? overspent(left) : null;
  return over ? (
    <span class="budget-words over">
      {over.before}
      <b class="num">{over.amount}</b>
      {over.after}
    </span>
  ) : (
    <span class="budget-words">
      <b class="num">{percent(left)}</b> left
    </span>
  );
}
