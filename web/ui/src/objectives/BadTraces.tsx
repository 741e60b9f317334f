import { useMemo } from "preact/hooks";
import * as api from "../api/endpoints";
import type { Objective, ObjectiveTrace } from "../api/types";
import { useNow, usePoll } from "../api/usePoll";
import { PollNotice } from "../components/Notices";
import { Service } from "../components/Service";
import { Time } from "../components/Time";
import { durationMs } from "../lib/format";
import { links, type Route } from "../router";
import { DEFAULT_RANGE, shownRange } from "./range";
import { countsSpans } from "./words";

/** Indicators that ask for traffic: no span of theirs is bad. */
const NO_BAD_SPANS = ["throughput", "freshness"];

/** The newest stored traces with a bad event of the objective: each link shows the span that is the event. */
export function BadTraces({ objective: o, route }: { objective: Objective; route: Route }) {
  if (!countsSpans(o.indicator) || NO_BAD_SPANS.includes(o.indicator.type)) return null;
  return (
    <section aria-labelledby="bad-traces">
      <div class="section-head">
        <h3 id="bad-traces">Traces with a bad event</h3>
        <All objective={o} route={route} />
      </div>
      <List name={o.name} />
    </section>
  );
}

/** The link to the search for all such traces, in the range that the charts show. */
function All({ objective: o, route }: { objective: Objective; route: Route }) {
  const range = useMemo(() => shownRange(route.params, new Date()), [route.params, o.evaluated_until]);
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

function List({ name }: { name: string }) {
  const poll = usePoll(`traces of ${name}`, (signal) => api.objectiveTraces(name, signal), {
    interval: 30_000,
  });
  const now = useNow(60_000);
  return (
    <>
      <PollNotice poll={poll} />
      {poll.data?.length === 0 && (
        <p class="faint">
          There is none of the last day. The first bad events of each minute have their traces kept.
        </p>
      )}
      {poll.data && poll.data.length > 0 && (
        <ul class="bad-traces">
          {poll.data.map((t) => (
            <Row key={t.trace_id} trace={t} now={now} />
          ))}
        </ul>
      )}
    </>
  );
}

function Row({ trace: t, now }: { trace: ObjectiveTrace; now: Date }) {
  return (
    <li>
      <Time at={t.at} now={now} />
      <b class="error-text">{t.reason}</b>
      <span class="num">{durationMs(t.duration_ms)}</span>
      <Service name={t.service} />
      <a href={links.trace(t.trace_id, { span: t.span_id })}>{t.operation}</a>
      <code class="t-id">{t.trace_id.slice(0, 16)}</code>
    </li>
  );
}
