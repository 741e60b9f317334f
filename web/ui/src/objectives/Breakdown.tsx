import { useMemo } from "preact/hooks";
import * as api from "../api/endpoints";
import type { Breakdown as Answer, Dimension, Objective } from "../api/types";
import { usePoll } from "../api/usePoll";
import { Polled } from "../components/Notices";
import { Time } from "../components/Time";
import { count, durationMs, exact, percent } from "../lib/format";
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
import { DEFAULT_RANGE, shownRange } from "./range";
import { countsSpans } from "./words";

/** Indicators that ask for traffic: no span of theirs is bad. */
const NO_BAD_SPANS = ["throughput", "freshness"];

/** What burned the budget since the alert began, or in the range that was chosen, with links to the traces. */
export function Breakdown({ objective: o, route }: { objective: Objective; route: Route }) {
  const chosen = route.params.has("range") || route.params.has("start");
  const range = useMemo(() => shownRange(route.params, new Date()), [route.params, o.evaluated_until]);
  const asked = chosen ? { start: range.start, end: range.end } : null;
  const key = `${o.name} ${o.evaluated_until} ${asked?.start.toISOString()} ${asked?.end.toISOString()}`;
  const poll = usePoll(
    `breakdown ${key}`,
    (signal) => Promise.all(DIMENSIONS.map((by) => api.breakdown(o.name, by, asked, signal))),
    { interval: 0, keep: true },
  );
  if (o.state === "error" && o.evaluated_until === null) return null;
  return (
    <section aria-labelledby="breakdown">
      <div class="section-head">
        <h2 id="breakdown">What burned the budget</h2>
        <Traces objective={o} route={route} />
      </div>
      <Polled poll={poll}>{(all) => <Found all={all} objective={o} chosen={chosen} />}</Polled>
    </section>
  );
}

function Traces({ objective: o, route }: { objective: Objective; route: Route }) {
  // The link follows the range that the charts show.
  const range = useMemo(() => shownRange(route.params, new Date()), [route.params, o.evaluated_until]);
  if (!countsSpans(o.indicator) || NO_BAD_SPANS.includes(o.indicator.type)) return null;
  const latency = o.indicator.type === "latency";
  const traces = links.traces({
    service: o.indicator.service ?? o.service,
    operation: o.indicator.operations?.length === 1 ? o.indicator.operations[0] : null,
    error: !latency,
    min_duration: latency ? `${o.indicator.threshold_ms}ms` : null,
    ...(route.params.has("start")
      ? { start: range.start.toISOString(), end: range.end.toISOString() }
      : { range: route.params.get("range") ?? DEFAULT_RANGE }),
  });
  return (
    <a class="button" href={traces}>
      {latency ? `Traces of ${durationMs(o.indicator.threshold_ms ?? null)} or more` : "Traces with errors"}{" "}
      through {o.indicator.service ?? o.service}
    </a>
  );
}

function Found({ all, objective: o, chosen }: { all: Answer[]; objective: Objective; chosen: boolean }) {
  const [first] = all;
  const uncovered = uncoveredWords(first);
  const promql = o.indicator.type === "promql" && nameless(all);
  return (
    <>
      <Sentence all={all} named={!promql} />
      {chosen && o.alert.state === "firing" && (
        <p>
          <a href={links.objective(o.name)}>Show what burned it since the alert began</a>
        </p>
      )}
      {uncovered && <p class="notice">{uncovered}</p>}
      {promql ? (
        <p class="faint">
          The queries of this objective leave no labels, so its events have no parts. Let both keep some of
          service, operation and version, such as <code>sum by (service, version) (…)</code>.
        </p>
      ) : (
        first.events.bad > 0 && (
          <div class="breakdown">
            {all.map((b) => (
              <Table key={b.by[0]} answer={b} />
            ))}
          </div>
        )
      )}
    </>
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
