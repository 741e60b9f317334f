import { percent } from "../lib/format";
import { type Budgeted, budgetLeft, overspent } from "../objectives/budget";
import { interval, seenWords } from "../objectives/coverage";

/**
 * The rest of the error budget. A full bar is all of it; marks stand at 50 and 10 %, where the policy changes. An
 * overspent budget fills with stripes from the left, by as much as it is overspent. The part that is there only if all
 * that was not measured was good is hatched.
 */
export function BudgetBar({ objective: o }: { objective: Budgeted }) {
  const left = budgetLeft(o);
  if (left === null)
    return <div class="budget budget-none" role="img" aria-label="No budget figure: no events" />;
  const width = `${Math.min(1, Math.abs(left)) * 100}%`;
  const low = o.budget.remaining_ratio_low ?? left;
  const sure = Math.min(1, Math.max(0, low));
  const doubt = left > 0 ? Math.min(1, left) - sure : 0;
  const label =
    left < 0 ? Object.values(overspent(left)).join("") : `${interval(low, left, percent)} of the budget left`;
  return (
    <div
      class={`budget policy-${o.budget.policy}`}
      role="img"
      aria-label={`${label}, policy ${o.budget.policy}`}
    >
      <div class={left < 0 ? "budget-fill over" : "budget-fill"} style={{ width }} />
      {doubt > 0 && <i class="budget-doubt" style={{ left: `${sure * 100}%`, width: `${doubt * 100}%` }} />}
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
  const seen = seenWords(o);
  const young = seen && (
    <span class="faint" title="Rated against the events that the whole window will have at this traffic">
      {" "}
      (young: {seen})
    </span>
  );
  return over ? (
    <span class="budget-words over">
      {over.before}
      <b class="num">{over.amount}</b>
      {over.after}
      {young}
    </span>
  ) : (
    <span class="budget-words">
      <b class="num">{interval(o.budget.remaining_ratio_low ?? left, left, percent)}</b> left{young}
    </span>
  );
}
