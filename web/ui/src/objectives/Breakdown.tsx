import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import * as api from "../api/endpoints";
import type { Breakdown as Answer, Dimension, Objective } from "../api/types";
import { usePoll } from "../api/usePoll";
import { Polled } from "../components/Notices";
import { Time } from "../components/Time";
import { count, exact, percent } from "../lib/format";
import { links, type Route } from "../router";
import {
  DIMENSIONS,
  findings,
  nameless,
  perMinute,
  TITLES,
  uncoveredWords,
  valueText,
} from "./breakdown-words";
import { shownRange } from "./range";

interface Props {
  objective: Objective;
  route: Route;
  /** Beside the sentences on what burned the budget, above the tables. */
  children: ComponentChildren;
}

/** What burned the budget since the alert began, or in the range that was chosen: in sentences, then in tables. */
export function Breakdown({ objective: o, route, children }: Props) {
  const chosen = route.params.has("range") || route.params.has("start");
  const range = useMemo(() => shownRange(route.params, new Date()), [route.params, o.evaluated_until]);
  const asked = chosen ? { start: range.start, end: range.end } : null;
  const key = `${o.name} ${o.evaluated_until} ${asked?.start.toISOString()} ${asked?.end.toISOString()}`;
  const poll = usePoll(
    `breakdown ${key}`,
    (signal) => Promise.all(DIMENSIONS.map((by) => api.breakdown(o.name, by, asked, signal))),
    { interval: 0, keep: true },
  );
  if (o.state === "error" && o.evaluated_until === null) return <>{children}</>;
  return (
    <section aria-labelledby="breakdown">
      <div class="burned-head">
        <div>
          <h2 id="breakdown">What burned the budget</h2>
          <Polled poll={poll}>{(all) => <Found all={all} objective={o} chosen={chosen} />}</Polled>
        </div>
        {children}
      </div>
      {poll.data && <Tables all={poll.data} objective={o} />}
    </section>
  );
}

function Found({ all, objective: o, chosen }: { all: Answer[]; objective: Objective; chosen: boolean }) {
  const [first] = all;
  const uncovered = uncoveredWords(first);
  const promql = partless(all, o);
  return (
    <>
      <Sentence all={all} named={!promql} />
      {chosen && o.alert.state === "firing" && (
        <p>
          <a href={links.objective(o.name)}>Show what burned it since the alert began</a>
        </p>
      )}
      {uncovered && <p class="notice">{uncovered}</p>}
      {promql && (
        <p class="faint">
          The queries of this objective leave no labels, so its events have no parts. Let both keep some of
          service, operation and version, such as <code>sum by (service, version) (…)</code>.
        </p>
      )}
    </>
  );
}

/** True of queries that leave no labels to tell the parts of their events by. */
function partless(all: Answer[], o: Objective): boolean {
  return o.indicator.type === "promql" && nameless(all);
}

function Tables({ all, objective: o }: { all: Answer[]; objective: Objective }) {
  if (all[0].events.bad === 0 || partless(all, o)) return null;
  return (
    <div class="breakdown">
      {all.map((b) => (
        <Table key={b.by[0]} answer={b} />
      ))}
    </div>
  );
}

/** The range, and what stands out in it. */
function Sentence({ all, named }: { all: Answer[]; named: boolean }) {
  const [b] = all;
  const found = findings(all);
  const range = (
    <>
      {b.basis === "alert" ? "since" : "from"} <Time at={b.start} now={new Date()} />
      {b.basis !== "alert" && (
        <>
          {" "}
          to <Time at={b.end} now={new Date()} />
        </>
      )}
    </>
  );
  if (b.events.bad === 0)
    return (
      <p class="faint">
        No bad events {range}, of {count(b.events.total)} in all.
      </p>
    );
  return (
    <div class="findings">
      {found.map((sentence) => (
        <p key={sentence}>
          <b>{sentence}</b> {range}.
        </p>
      ))}
      {found.length === 0 && named && (
        <p>
          No version, operation, service or reason stands out {range}: bad events are spread as all events
          are.
        </p>
      )}
      <p class="faint">
        {exact(b.events.bad)} of {exact(b.events.total)} events are bad, {percent(b.error_ratio)}
        {b.basis === "alert" && ", since the burn began that the alert is about"}
        {b.basis === "last_hour" && ", in the last hour"}.
      </p>
    </div>
  );
}

const ROWS = 8;

function Table({ answer: b }: { answer: Answer }) {
  const dimension: Dimension = b.by[0];
  const more = b.rows.length + b.omitted_rows - ROWS;
  return (
    <div class="card">
      <table class="table shares">
        <thead>
          <tr>
            <th scope="col">{TITLES[dimension]}</th>
            <th scope="col" class="r" title="How much of this part’s events is bad">
              Bad
            </th>
            <th scope="col" class="r" title="Bad events per minute">
              Rate
            </th>
            <th scope="col" class="r" title="How much of all bad events this part has">
              Share
            </th>
          </tr>
        </thead>
        <tbody>
          {b.rows.slice(0, ROWS).map((r) => (
            <tr key={r.values[dimension]}>
              <td>
                <span class="share-name">{valueText(r.values[dimension])}</span>
                <span
                  class="share-bar"
                  style={{ width: `${(r.bad_share ?? 0) * 100}%` }}
                  aria-hidden="true"
                />
              </td>
              <td class="r num" title={`${exact(r.events.bad)} of ${exact(r.events.total)} events`}>
                {percent(r.error_ratio)}
              </td>
              <td class="r num">{perMinute(r.bad_per_minute)}</td>
              <td class="r num">
                <b>{percent(r.bad_share, 2)}</b>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && <p class="faint">and {more} more</p>}
    </div>
  );
}
