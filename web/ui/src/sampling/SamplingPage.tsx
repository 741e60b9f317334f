import * as api from "../api/endpoints";
import type { SamplingStatus } from "../api/types";
import { usePoll } from "../api/usePoll";
import { Polled } from "../components/Notices";
import { Page } from "../components/Page";
import { TableScroll } from "../components/TableScroll";
import { Time } from "../components/Time";
import { bytes, count, durationSeconds, exact, percent, plural } from "../lib/format";
import { links } from "../router";

export function SamplingPage() {
  const poll = usePoll("sampling", api.samplingStatus);
  return (
    <Page
      title="Sampling"
      heading="Sampling"
      aside={
        poll.fetchedAt && (
          <span class="faint">
            as of <Time at={poll.fetchedAt} />
          </span>
        )
      }
    >
      <Polled poll={poll} rows={5}>
        {(s) => (
          <>
            <Memory status={s} />
            <Decided status={s} />
            <Policies status={s} />
          </>
        )}
      </Polled>
    </Page>
  );
}

/** Use of the byte budget from which decisions come early, and the bar says so. */
const HIGH = 0.8;

function Memory({ status: s }: { status: SamplingStatus }) {
  const used = s.memory_budget_bytes > 0 ? s.bytes_buffered / s.memory_budget_bytes : 0;
  return (
    <section class="figures" aria-label="Buffer">
      <div class="figure figure-budget">
        <h2>Buffered</h2>
        <div class="spread">
          <span class="big num">{bytes(s.bytes_buffered)}</span>
          <span class="faint num">
            {percent(used)} of {bytes(s.memory_budget_bytes)}
          </span>
        </div>
        <div
          class={`usage ${used >= HIGH ? "high" : ""}`}
          role="img"
          aria-label={`${percent(used)} of the budget in bytes`}
        >
          <i style={{ width: `${Math.min(1, used) * 100}%` }} />
        </div>
        <p class="faint">
          {used >= 1
            ? "The budget is used up: traces are decided early, boring ones first."
            : used >= HIGH
              ? "Close to the budget: above it traces are decided early, boring ones first."
              : waiting(s)}
        </p>
      </div>
      <Figure
        name="Undecided traces"
        n={s.traces_pending}
        note={`oldest for ${durationSeconds(s.oldest_undecided_seconds)}`}
      />
      <Figure
        name="Kept, not delivered yet"
        n={s.traces_undelivered}
        note="the next stage has not accepted them"
      />
      <Figure
        name="Decided early"
        n={s.early_decisions}
        note="for want of memory"
        warn={s.early_decisions > 0}
      />
      {s.failed_spans > 0 && (
        <Figure
          name="Failed spans"
          n={s.failed_spans}
          note="kept, but refused for good by the next stage"
          warn
        />
      )}
      <Figure
        name="Refused spans"
        n={s.refused_spans}
        note="with a retryable error"
        warn={s.refused_spans > 0}
      />
    </section>
  );
}

/** What the buffered spans wait for: decided traces stay buffered until the backend has them. */
export function waiting(s: SamplingStatus): string {
  const spans = `${plural(s.spans_buffered, "span")} buffered`;
  const undecided = `${plural(s.traces_pending, "trace")} waiting for the rest of their spans`;
  const kept = `${plural(s.traces_undelivered, "kept trace")} waiting for the backend`;
  return s.traces_undelivered > 0 ? `${spans}: ${undecided}, ${kept}.` : `${spans}: ${undecided}.`;
}

function Figure({ name, n, note, warn }: { name: string; n: number; note: string; warn?: boolean }) {
  return (
    <div class={warn ? "figure warn" : "figure"}>
      <h2>{name}</h2>
      <span class="big num" title={exact(n)}>
        {count(n)}
      </span>
      <p class="faint">{note}</p>
    </div>
  );
}

function Decided({ status: s }: { status: SamplingStatus }) {
  const { sampled, not_sampled, dropped } = s.decided;
  const total = sampled + not_sampled + dropped;
  const late = s.late_spans.kept + s.late_spans.dropped;
  const parts = [
    ["sampled", "Kept", sampled],
    ["not_sampled", "Not kept", not_sampled],
    ["dropped", "Dropped by a policy", dropped],
  ] as const;
  return (
    <section aria-labelledby="decided">
      <h2 id="decided">Decisions</h2>
      {total === 0 ? (
        <p class="faint">No trace has been decided yet.</p>
      ) : (
        <>
          <div class="stack" aria-hidden="true">
            {parts.map(([key, , n]) => (
              <i key={key} class={`stack-${key}`} style={{ flexGrow: n / total }} />
            ))}
          </div>
          <ul class="stack-legend">
            {parts.map(([key, name, n]) => (
              <li key={key}>
                <i class={`swatch stack-${key}`} aria-hidden="true" />
                {name} <b class="num">{count(n)}</b> <span class="faint num">{percent(n / total)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      <p class="faint">
        {late === 0
          ? "No span came after its trace was decided."
          : `${count(late)} spans came after their trace was decided: ${count(s.late_spans.kept)} followed it, ${count(s.late_spans.dropped)} were dropped with it.`}
      </p>
    </section>
  );
}

function Policies({ status: s }: { status: SamplingStatus }) {
  const traces = s.policies.reduce((n, p) => n + p.sampled_traces, 0);
  return (
    <section aria-labelledby="policies">
      <h2 id="policies">Policies</h2>
      <TableScroll label="Policies">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Policy</th>
              <th scope="col">Type</th>
              <th scope="col" class="r">
                Kept traces
              </th>
              <th scope="col">Share</th>
              <th scope="col" class="r">
                Kept spans
              </th>
              <th scope="col" class="r">
                Dropped traces
              </th>
            </tr>
          </thead>
          <tbody>
            {s.policies.map((p) => {
              const share = traces > 0 ? p.sampled_traces / traces : 0;
              return (
                <tr key={p.name}>
                  <th scope="row">
                    {p.sampled_traces > 0 ? <a href={links.traces({ policy: p.name })}>{p.name}</a> : p.name}
                  </th>
                  <td>
                    <code>{p.type}</code>
                  </td>
                  <td class="r num">{exact(p.sampled_traces)}</td>
                  <td class="share-cell">
                    <span class="share-bar" style={{ width: `${share * 70}%` }} aria-hidden="true" />
                    <span class="num">{percent(share, 2)}</span>
                  </td>
                  <td class="r num">{exact(p.sampled_spans)}</td>
                  <td class="r num">{exact(p.dropped_traces)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </TableScroll>
    </section>
  );
}
