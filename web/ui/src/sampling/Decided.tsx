import type { SamplingStatus } from "../api/types";
import { count, percent, plural } from "../lib/format";
import { forObjectives, linked, revived } from "./words";

export function Decided({ status: s }: { status: SamplingStatus }) {
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
            {parts.map(
              ([key, , n]) => n > 0 && <i key={key} class={`stack-${key}`} style={{ flexGrow: n / total }} />,
            )}
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
      {total > 0 && (
        <p class="faint">
          {revived(s)} {linked(s)} {forObjectives(s)}
        </p>
      )}
      <p class="faint">
        {late === 0
          ? "No span came after its trace was decided."
          : `${count(late)} spans came after their trace was decided: ${count(s.late_spans.kept)} followed it, ${count(s.late_spans.dropped)} were dropped with it.`}
        {s.late_spans.errors_dropped > 0 && (
          <>
            {" "}
            <b class="text-ticket">
              {plural(s.late_spans.errors_dropped, "of these has an error", "of these have an error")}
            </b>
            , of traces that were not kept: a longer decision_wait or revive_window would have kept them.
          </>
        )}
      </p>
    </section>
  );
}
