import * as api from "../api/endpoints";
import type { Objective } from "../api/types";
import { useNow, usePoll } from "../api/usePoll";
import { BudgetBar, BudgetWords } from "../components/BudgetBar";
import { Empty, Polled } from "../components/Notices";
import { Page } from "../components/Page";
import { ObjectivePill, PolicyPill } from "../components/Pill";
import { Service } from "../components/Service";
import { Time } from "../components/Time";
import { burnRate, durationSeconds, NONE, percent } from "../lib/format";
import { age, moment } from "../lib/time";
import { links, type Route } from "../router";
import { BadTraces } from "./BadTraces";
import { Breakdown } from "./Breakdown";
import { budgetLeft, nextExhaustion } from "./budget";
import { Coverage } from "./Coverage";
import { HistoryCharts } from "./HistoryCharts";
import { Lateness } from "./Lateness";
import { NoEvents } from "./NoEvents";
import { ObjectiveDeliveries } from "./ObjectiveDeliveries";
import { TiersTable } from "./TiersTable";

import { amount, exactAmount, unitHeading } from "./unit";
import { standing } from "./urgency";
import { allowance, hasParts, POLICY_ASKS, promise, windowWords } from "./words";

export function ObjectivePage({ name, route }: { name: string; route: Route }) {
  const poll = usePoll(`objective ${name}`, (signal) => api.objective(name, signal), { final: true });
  if (poll.error?.status === 404 && !poll.data) return <NotThere name={name} why={poll.error.detail} />;
  const o = poll.data;
  return (
    <Page
      title={name}
      above={<a href={links.objectives()}>Objectives</a>}
      heading={name}
      aside={o && <ObjectivePill objective={o} />}
    >
      <Polled poll={poll} rows={8}>
        {(o) => (
          <>
            <Intro objective={o} />
            <AlertBanner objective={o} />
            {o.volatile_counts && <p class="notice notice-error">For this objective, {o.volatile_counts}</p>}
            {o.lost_counts && <p class="notice">For this objective, {o.lost_counts}</p>}
            {o.warnings.map((w) => (
              <p key={w} class="notice">
                {w}
              </p>
            ))}
            <Lateness objective={o} />
            {budgetLeft(o) === null && o.state !== "error" && <NoEvents objective={o} />}
            {o.message && (o.state !== "no_data" || budgetLeft(o) !== null) && (
              <p class={`notice notice-${o.state}`}>{o.message}</p>
            )}
            {/* Before the charts, and within a screen of 1440 × 900: whoever was woken looks no further. */}
            <Figures objective={o} />
            <div class="burned">
              {hasParts(o.indicator) ? (
                <Breakdown objective={o} route={route}>
                  <BadTraces objective={o} route={route} />
                </Breakdown>
              ) : (
                <BadTraces objective={o} route={route} />
              )}
            </div>
            <HistoryCharts objective={o} route={route} />
            <TiersTable objective={o} />
            <ObjectiveDeliveries name={o.name} />
          </>
        )}
      </Polled>
    </Page>
  );
}

function NotThere({ name, why }: { name: string; why: string }) {
  return (
    <Page title={name} above={<a href={links.objectives()}>Objectives</a>} heading={name}>
      <Empty title="There is no such objective">
        <p>{why}</p>
        <p>
          <a href={links.objectives()}>Go to the objectives</a>
        </p>
      </Empty>
    </Page>
  );
}

function Intro({ objective: o }: { objective: Objective }) {
  return (
    <div class="intro">
      <p class="promise">{promise(o)}</p>
      <p class="faint">
        {allowance(o)} {o.description}
      </p>
      {o.indicator.sentence && <p class="faint">{o.indicator.sentence}</p>}
      <div class="chips">
        {o.service && <Service name={o.service} />}
        {Object.entries(o.labels).map(([k, v]) => (
          <span key={k} class="chip">
            {k}={v}
          </span>
        ))}
        {o.evaluated_until && (
          <span class="faint">
            evaluated until <Time at={o.evaluated_until} withZone />
          </span>
        )}
        {o.indicator.type === "promql" && o.counted_since && (
          <span class="faint">
            counted since <Time at={o.counted_since} withZone />
          </span>
        )}
        <Coverage objective={o} />
      </div>
      {o.indicator.type === "composite" && (
        <p class="chips">
          {Object.entries(o.indicator.components).map(([name, weight]) => (
            <a key={name} class="chip" href={links.objective(name)}>
              {name} × {weight}
            </a>
          ))}
        </p>
      )}
      {o.indicator.type === "promql" && (
        <details>
          <summary>Queries</summary>
          <dl class="queries">
            {[
              ["bad", o.indicator.bad_query],
              ["total", o.indicator.total_query],
              ["error ratio", o.indicator.ratio_query],
            ].map(
              ([name, query]) =>
                query && [
                  <dt key={name}>{name}</dt>,
                  <dd key={`${name} query`}>
                    <code>{query}</code>
                  </dd>,
                ],
            )}
          </dl>
        </details>
      )}
    </div>
  );
}

function AlertBanner({ objective: o }: { objective: Objective }) {
  const now = useNow(5000);
  if (o.alert.state === "inactive" || (!o.alert.summary && !o.alert.since)) return null;
  return (
    <div class={`banner is-${o.alert.state === "resolved" ? "resolved" : standing(o)}`}>
      <b>
        {o.alert.severity === "page" ? "Page" : "Ticket"} {o.alert.state}
        {o.alert.since && (
          <>
            {" "}
            since <Time at={o.alert.since} now={now} /> ({age(o.alert.since, now)})
          </>
        )}
      </b>
      {/* Without events it would speak of a budget that is not there. */}
      {(o.alert.state !== "resolved" || budgetLeft(o) !== null) && <span>{o.alert.summary}</span>}
    </div>
  );
}

function Figures({ objective: o }: { objective: Objective }) {
  const b = o.budget;
  const remaining = budgetLeft(o);
  return (
    <section class="figures" aria-label="Budget">
      <div class="figure figure-budget">
        <h2>Error budget</h2>
        <div class="spread">
          <span class="big">
            <BudgetWords objective={o} />
          </span>
          {remaining !== null && <PolicyPill policy={b.policy} />}
        </div>
        <BudgetBar objective={o} />
        <p>{remaining === null ? "There are no events in the window yet." : POLICY_ASKS[b.policy]}</p>
      </div>
      <TimeLeft objective={o} />
      <Figure name="Outage left" of={left(remaining, durationSeconds(b.remaining_minutes * 60))}>
        of {durationSeconds(b.total_minutes * 60)} in {windowWords(o)}
      </Figure>
      <Figure name={`${unitHeading(o.indicator)} left`} of={left(remaining, amount(o, b.remaining_events))}>
        of {amount(o, b.allowed_events)} that may be bad
        {b.young && `, of ${amount(o, b.expected_events)} expected`}
      </Figure>
      <Figure
        name={`Bad ${o.indicator.unit || "events"}`}
        of={amount(o, o.events.bad)}
        title={exactAmount(o, o.events.bad)}
      >
        {percent(o.error_ratio)} of {amount(o, o.events.total)}, {percent(1 - o.target)} allowed
      </Figure>
    </section>
  );
}

/** The time until the budget is spent, at the highest burn rate of the tiers that are active or, without one, of all. */
function TimeLeft({ objective: o }: { objective: Objective }) {
  const remaining = budgetLeft(o);
  const next = nextExhaustion(o.tiers);
  const now = useNow(60_000);
  const until = next?.exhausted_at ? `: until ${moment(next.exhausted_at, now)}` : "";
  const words =
    remaining === null
      ? NONE
      : remaining <= 0
        ? "none left"
        : next
          ? durationSeconds(next.exhaustion_seconds)
          : "lasts";
  return (
    <Figure name="Time left" of={words}>
      {remaining !== null && remaining <= 0
        ? "the budget is spent"
        : next && remaining !== null
          ? `at ${burnRate(next.long_burn_rate)}, as in the last ${next.long_window}${until}`
          : "nothing burns"}
    </Figure>
  );
}

/** The rest of a budget in words. */
function left(remaining: number | null, amount: string): string {
  if (remaining === null) return NONE;
  return remaining <= 0 ? "none left" : amount;
}

function Figure({
  name,
  of,
  title,
  children,
}: {
  name: string;
  of: string;
  title?: string;
  children: preact.ComponentChildren;
}) {
  return (
    <div class="figure">
      <h2>{name}</h2>
      <span class="big num" title={title}>
        {of}
      </span>
      <p class="faint">{children}</p>
    </div>
  );
}
