import { durationNs } from "../lib/format";
import { niceTicks } from "../lib/time";
import type { Extent } from "./model";

/** The head of the waterfall: the column's names and the times of the view, counted from the trace's start. */
export function Axis({ view, narrow }: { view: Extent; narrow: boolean }) {
  const length = view.to - view.from;
  const ticks = niceTicks(view.from, view.to, narrow ? 3 : 7);
  return (
    <div class="axis" role="row" aria-rowindex={1}>
      <span role="columnheader" class="axis-name">
        Service and operation
      </span>
      <span role="columnheader" class="axis-times">
        <span class="sr">
          Time, from {durationNs(view.from)} to {durationNs(view.to)}
        </span>
        {ticks.map((t) => {
          const at = (t - view.from) / length;
          return (
            <span
              key={t}
              class={at > 0.94 ? "tick last num" : "tick num"}
              style={{ left: `${at * 100}%` }}
              aria-hidden="true"
            >
              {durationNs(Math.abs(t) < length * 1e-9 ? 0 : t)}
            </span>
          );
        })}
      </span>
    </div>
  );
}
