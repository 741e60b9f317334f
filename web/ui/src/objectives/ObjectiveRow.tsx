import type { Objective } from "../api/types";
import { useNow } from "../api/usePoll";
import { BudgetBar, BudgetWords } from "../components/BudgetBar";
import { BurnCell } from "../components/BurnCell";
import { ObjectivePill, PolicyPill } from "../components/Pill";
import { Service } from "../components/Service";
import { Time } from "../components/Time";
import { durationSeconds, percent } from "../lib/format";
import { age } from "../lib/time";
import { links } from "../router";
import { budgetLeft } from "./budget";
import { amount, exactAmount } from "./unit";
import { standing } from "./urgency";
import { indicatorWords, listWindows, windowWords } from "./words";

export function ObjectiveRow({ objective: o }: { objective: Objective }) {
  const s = standing(o);
  return (
    <li class={`objective is-${s}`}>
      <div class="o-state">
        <ObjectivePill objective={o} />
        {o.alert.since && o.alert.state !== "resolved" && <Since at={o.alert.since} />}
      </div>
      <div class="o-name">
        <h2>
          <a href={links.objective(o.name)}>{o.name}</a>
        </h2>
        <p>
          <b class="num">{percent(o.target)}</b> of {indicatorWords(o.indicator)}
        </p>
        {o.service && <Service name={o.service} />}
      </div>
      {budgetLeft(o) === null ? (
        <p class="o-message">
          {o.state === "error" ? o.message : "No events yet: there is nothing to compute a budget from."}
        </p>
      ) : (
        <>
          <div class="o-budget">
            <div class="spread">
              <BudgetWords objective={o} />
              <PolicyPill policy={o.budget.policy} />
            </div>
            <BudgetBar objective={o} />
            <p class="faint num">
              {o.budget.remaining_minutes > 0
                ? durationSeconds(o.budget.remaining_minutes * 60)
                : "none left"}{" "}
              of {durationSeconds(o.budget.total_minutes * 60)}
            </p>
          </div>
          <div class="o-burn">
            {listWindows(o).map((w) => (
              <BurnCell key={w} objective={o} window={w} />
            ))}
          </div>
          <div class="o-events num">
            <span title={`${exactAmount(o, o.events.bad)} bad of ${exactAmount(o, o.events.total)}`}>
              <b>{amount(o, o.events.bad)}</b> bad
            </span>
            <span class="faint">
              of {amount(o, o.events.total)} {o.indicator.unit === "events" ? "" : o.indicator.unit}
            </span>
            <span class="faint">in {windowWords(o)}</span>
          </div>
        </>
      )}
      {(s === "page" || s === "ticket" || s === "pending") && o.alert.summary && (
        <p class="o-summary">{o.alert.summary}</p>
      )}
      {o.state === "error" && budgetLeft(o) !== null && <p class="o-summary">Not evaluated: {o.message}</p>}
      {o.state === "no_data" && budgetLeft(o) !== null && <p class="o-summary">{o.message}</p>}
    </li>
  );
}

function Since({ at }: { at: string }) {
  const now = useNow(5000);
  return (
    <span class="faint">
      since <Time at={at} now={now} /> <span class="nowrap">({age(at, now)})</span>
    </span>
  );
}
