import * as api from "../api/endpoints";
import type { Objective, ObjectiveTrace } from "../api/types";
import { useNow, usePoll } from "../api/usePoll";
import { PollNotice } from "../components/Notices";
import { Service } from "../components/Service";
import { Time } from "../components/Time";
import { durationMs } from "../lib/format";
import { links } from "../router";

/** The newest stored traces with a bad event of the objective: each link shows the span that is the event. */
export function BadTraces({ objective: o }: { objective: Objective }) {
  if (o.indicator.type === "promql") return null;
  return <List name={o.name} />;
}

function List({ name }: { name: string }) {
  const poll = usePoll(`traces of ${name}`, (signal) => api.objectiveTraces(name, signal), {
    interval: 30_000,
  });
  const now = useNow(60_000);
  if (!poll.data && !poll.error) return null;
  return (
    <section aria-labelledby="bad-traces">
      <h2 id="bad-traces">Traces with a bad event</h2>
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
    </section>
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
