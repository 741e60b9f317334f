import { useMemo } from "preact/hooks";
import * as api from "../api/endpoints";
import type { Objective } from "../api/types";
import { usePoll } from "../api/usePoll";
import { PollNotice } from "../components/Notices";
import { count, durationMs, percent } from "../lib/format";
import { rangeSeconds } from "../lib/time";
import { links, type Route } from "../router";
import { badEventsQuery, shares } from "./breakdown-query";
import { DEFAULT_RANGE, shownRange } from "./range";
import { countsSpans } from "./words";

/** Indicators that ask for traffic: no span of theirs is bad. */
const NO_BAD_SPANS = ["throughput", "freshness"];

const BY = [
  ["span_name", "Operation"],
  ["service_version", "Version"],
  ["reason", "Reason"],
] as const;

/** Bad events of the shown range by label, with links to their traces. */
export function Breakdown({ objective: o, route }: { objective: Objective; route: Route }) {
  // The traces' link and the tables follow the range that the charts show.
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
    <section aria-labelledby="breakdown">
      <div class="section-head">
        <h2 id="breakdown">Where the bad events come from</h2>
        <a class="button" href={traces}>
          {latency
            ? `Traces of ${durationMs(o.indicator.threshold_ms ?? null)} or more`
            : "Traces with errors"}{" "}
          through {o.indicator.service ?? o.service}
        </a>
      </div>
      <div class="breakdown">
        {BY.map(([label, title]) => (
          <Table
            key={label}
            title={title}
            label={label}
            query={badEventsQuery(o.name, label, rangeSeconds(range))}
            end={range.end}
          />
        ))}
      </div>
    </section>
  );
}

const ROWS = 8;

function Table({ title, label, query, end }: { title: string; label: string; query: string; end: Date }) {
  const poll = usePoll(`${query} ${end.toISOString()}`, (signal) => api.instantQuery(query, end, signal), {
    interval: 0,
    keep: true,
  });
  const rows = useMemo(() => shares(poll.data ?? [], label), [poll.data, label]);
  return (
    <div class="card">
      <PollNotice poll={poll} />
      <table class="table shares">
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col" class="r">
              Bad events
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, ROWS).map((r) => (
            <tr key={r.name}>
              <td>
                <span class="share-name">{r.name}</span>
                <span class="share-bar" style={{ width: `${r.share * 100}%` }} aria-hidden="true" />
              </td>
              <td class="r num">
                <b>{count(r.n)}</b> <span class="faint">{percent(r.share, 2)}</span>
              </td>
            </tr>
          ))}
          {rows.length === 0 && !poll.error && (
            <tr>
              <td colSpan={2} class="faint">
                {poll.data === null ? "…" : "No bad events in this range"}
              </td>
            </tr>
          )}
        </tbody>
      </table>
      {rows.length > ROWS && <p class="faint">and {rows.length - ROWS} more</p>}
    </div>
  );
}
