import type { Meter, ObjectivePromise, Overview, ObjectiveRow as Row } from "../api/types";
import { useNow } from "../api/usePoll";
import { BudgetBar, BudgetWords } from "../components/BudgetBar";
import { BurnCell } from "../components/BurnCell";
import { PolicyPill, StandingPill } from "../components/Pill";
import { Service } from "../components/Service";
import { Time } from "../components/Time";
import { count, durationSeconds, exact, percent } from "../lib/format";
import { age } from "../lib/time";
import { links } from "../router";
import { burningWords, promiseWords, windowSeconds } from "./words";

/** A row of the overview, with what it has in common with others. */
export function ObjectiveRow({ row, of: o }: { row: Row; of: Overview }) {
  const promise = o.promises[row.promise];
  const meter = o.meters[row.meter ?? 0];
  const message = row.message === undefined ? "" : o.messages[row.message];
  const window = windowSeconds(promise.window);
  const alerts = row.urgency === "page" || row.urgency === "ticket" || row.urgency === "pending";
  return (
    <li class={`objective is-${row.urgency}`}>
      <div class="o-state">
        <StandingPill of={row.urgency} />
        {row.since && <Since at={row.since} />}
      </div>
      <div class="o-name">
        <h2>
          <a href={links.objective(row.name)}>{row.name}</a>
        </h2>
        <p>
          <b class="num">{percent(promise.target)}</b> of {promiseWords(promise)}
        </p>
        {row.service && <Service name={row.service} />}
      </div>
      {row.remaining_ratio === null ? (
        <p class="o-message">
          {row.state === "error" ? message : "No events yet: there is nothing to compute a budget from."}
        </p>
      ) : (
        <Figures row={row} left={row.remaining_ratio} promise={promise} meter={meter} window={window} />
      )}
      {alerts && <p class="o-summary">{burningWords(row, meter, window) || "The alert goes on."}</p>}
      {row.state && row.remaining_ratio !== null && (
        <p class="o-summary">
          {row.state === "error" && "Not evaluated: "}
          {message || "the objective’s page has the reason."}
        </p>
      )}
    </li>
  );
}

interface FiguresProps {
  row: Row;
  left: number;
  promise: ObjectivePromise;
  meter: Meter;
  /** In seconds. */
  window: number;
}

function Figures({ row, left, promise, meter, window }: FiguresProps) {
  const budgeted = {
    events: { total: row.total },
    budget: { remaining_ratio: left, policy: row.policy },
    window_seconds: window,
    coverage: { young: row.seen_seconds !== undefined, seen_seconds: row.seen_seconds ?? 0 },
  };
  const outage = (1 - promise.target) * window;
  return (
    <>
      <div class="o-budget">
        <div class="spread">
          <BudgetWords objective={budgeted} />
          <PolicyPill policy={row.policy} />
        </div>
        <BudgetBar objective={budgeted} />
        <p class="faint num">
          {left > 0 ? durationSeconds(left * outage) : "none left"} of {durationSeconds(outage)}
        </p>
      </div>
      <div class="o-burn">
        {meter.windows.map((w, i) => (
          <BurnCell key={w.window} of={w} rate={row.burn_rates[i] ?? null} />
        ))}
      </div>
      <div class="o-events num">
        <span title={`${exact(row.bad)} bad of ${exact(row.total)}`}>
          <b>{count(row.bad)}</b> bad
        </span>
        <span class="faint">of {count(row.total)}</span>
        <span class="faint">in {durationSeconds(window)}</span>
      </div>
    </>
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
