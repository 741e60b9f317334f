// Events that did not count in the minute in which they happened: they came too late, or by a clock that is behind.

import type { Objective } from "../api/types";
import * as f from "../lib/format";

/** The clocks that are behind, a sentence for each service. */
export function clocksWords(o: Objective): string[] {
  return o.clocks_off.map((c) => {
    const behind = f.durationSeconds(c.behind_seconds);
    return c.processes > 1
      ? `The clocks of ${c.processes} processes of ${c.service} are ${behind} behind: their events count in the minute in which they arrive.`
      : `The clock of ${c.service} is ${behind} behind: its events count in the minute in which they arrive.`;
  });
}

/** The late events in a sentence, empty if there are none. */
export function lateWords(o: Objective): string {
  const { total, bad } = o.late;
  if (total === 0) return "";
  return `${f.plural(total, "event")} arrived late within the last day, ${f.count(bad)} of them bad: they count in the budget, not in what alerts see of now.`;
}

export function Lateness({ objective: o }: { objective: Objective }) {
  const late = lateWords(o);
  return (
    <>
      {clocksWords(o).map((text) => (
        <p key={text} class="notice">
          {text}
        </p>
      ))}
      {late && <p class="faint">{late}</p>}
    </>
  );
}
