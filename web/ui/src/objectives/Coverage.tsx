import type { Objective } from "../api/types";
import { useNow } from "../api/usePoll";
import { Time } from "../components/Time";
import { durationSeconds } from "../lib/format";
import { coverageWords, gapSeconds, reasonWords } from "./coverage";

/** One line on how much of the window was measured, with the list of gaps behind it. */
export function Coverage({ objective: o }: { objective: Objective }) {
  const now = useNow(60_000);
  const words = coverageWords(o);
  if (!words) return null;
  const gaps = o.coverage.gaps ?? [];
  if (gaps.length === 0) return <p class="coverage faint">{words}</p>;
  const more = o.coverage.gaps_total - gaps.length;
  return (
    <details class="coverage faint">
      <summary>{words}</summary>
      <ul>
        {gaps.map((g) => (
          <li key={g.from}>
            <Time at={g.from} now={now} /> to <Time at={g.to} now={now} />: {durationSeconds(gapSeconds(g))},{" "}
            {reasonWords(g)}
          </li>
        ))}
        {more > 0 && <li>{more} earlier ones</li>}
      </ul>
      <p>
        Figures are of what was measured. Where what was not measured would show, they are intervals: the
        upper end takes all of it as bad events.
      </p>
    </details>
  );
}
