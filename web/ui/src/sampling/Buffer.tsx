import type { ComponentChildren } from "preact";
import type { SamplingStatus } from "../api/types";
import { bytes, count, durationSeconds, exact, percent, plural } from "../lib/format";
import { waiting } from "./words";

/** The share of a byte budget from which on traces are decided early, and the bar warns. */
const HIGH = 0.8;

/** The buffered spans, in memory and on disk, and their errors. */
export function Buffer({ status: s }: { status: SamplingStatus }) {
  return (
    <section class="figures" aria-label="Buffer">
      <Budget name="Buffered" used={s.bytes_buffered} limit={s.memory_budget_bytes}>
        {waiting(s)}
      </Budget>
      {s.storage === "disk" && (
        <Budget name="On disk" used={s.disk_bytes} limit={s.disk_budget_bytes}>
          {plural(s.segments, "segment")} of the span log
          {s.recovered_spans > 0 && `, ${plural(s.recovered_spans, "span")} read back at the start`}.
        </Budget>
      )}
      <Figure
        name="Undecided traces"
        n={s.traces_pending}
        note={`oldest for ${durationSeconds(s.oldest_undecided_seconds)}`}
      />
      <Figure name="Kept, not delivered yet" n={s.traces_undelivered} note="not every destination has them" />
      <Figure
        name="Decided early"
        n={s.early_decisions}
        note="before the wait was over"
        warn={s.early_decisions > 0}
      />
      {s.lost_spans > 0 && (
        <Figure name="Lost spans" n={s.lost_spans} note="acknowledged and gone: check the disk" warn />
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

function Budget({
  name,
  used,
  limit,
  children,
}: {
  name: string;
  used: number;
  limit: number;
  /** The text while there is room. */
  children: ComponentChildren;
}) {
  const share = limit > 0 ? used / limit : 0;
  return (
    <div class="figure figure-budget">
      <h2>{name}</h2>
      <div class="spread">
        <span class="big num">{bytes(used)}</span>
        <span class="faint num">
          {percent(share)} of {bytes(limit)}
        </span>
      </div>
      <div
        class={`usage ${share >= HIGH ? "high" : ""}`}
        role="img"
        aria-label={`${percent(share)} of the budget in bytes`}
      >
        <i style={{ width: `${Math.min(1, share) * 100}%` }} />
      </div>
      <p class="faint">
        {share >= 1
          ? "The budget is used up: traces are decided early, those that no policy samples yet first."
          : share >= HIGH
            ? "Close to the budget: above it traces are decided early, those that no policy samples yet first."
            : children}
      </p>
    </div>
  );
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
