import type { TraceSummary } from "../api/types";
import { useNow } from "../api/usePoll";
import { Service } from "../components/Service";
import { TableScroll } from "../components/TableScroll";
import { Time } from "../components/Time";
import { count, durationMs, significant } from "../lib/format";
import { links } from "../router";

/** How many of a trace's services a row names. */
const CHIPS = 4;

export function ResultsTable({ traces }: { traces: TraceSummary[] }) {
  const now = useNow(60_000);
  const longest = Math.max(...traces.map((t) => t.duration_ms), 1e-6);
  return (
    <TableScroll label="Traces found">
      <table class="table results-table">
        <thead>
          <tr>
            <th scope="col">Trace</th>
            <th scope="col">Duration</th>
            <th scope="col" class="r">
              Spans
            </th>
            <th scope="col" class="r">
              Errors
            </th>
            <th scope="col">Services</th>
            <th scope="col">Kept by</th>
            <th scope="col" class="r">
              Start
            </th>
          </tr>
        </thead>
        <tbody>
          {traces.map((t) => (
            <Row key={t.trace_id} trace={t} longest={longest} now={now} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function Row({ trace: t, longest, now }: { trace: TraceSummary; longest: number; now: Date }) {
  const services = [...t.services].sort((a, b) => b.errors - a.errors || b.spans - a.spans);
  return (
    <tr class={t.error_count > 0 ? "has-errors" : ""}>
      <th scope="row" class="t-root">
        <a href={links.trace(t.trace_id)}>
          <span class="faint">{t.root_service || "unknown"}</span> {t.root_operation || "(no root yet)"}
        </a>
        <code class="t-id">{t.trace_id.slice(0, 16)}</code>
        {!t.complete && <span class="chip chip-warn">incomplete</span>}
      </th>
      <td class="t-duration" data-label="Duration">
        <span class="num">{durationMs(t.duration_ms)}</span>
        <span
          class="duration-bar"
          style={{ width: `${(t.duration_ms / longest) * 100}%` }}
          aria-hidden="true"
        />
      </td>
      <td class="r num" data-label="Spans">
        {count(t.span_count)}
      </td>
      <td class="r num" data-label="Errors">
        {t.error_count > 0 ? <b class="error-text">{count(t.error_count)}</b> : <span class="faint">0</span>}
      </td>
      <td data-label="Services">
        <span class="chips">
          {services.slice(0, CHIPS).map((s) => (
            <Service key={s.name} name={s.name}>
              <span class="faint num">{count(s.spans)}</span>
              {s.errors > 0 && <b class="error-text num">{count(s.errors)} ✕</b>}
            </Service>
          ))}
          {services.length > CHIPS && <span class="faint">+{services.length - CHIPS}</span>}
        </span>
      </td>
      <td data-label="Kept by">
        <span class="chip">{t.policy || "unknown"}</span>
        {t.adjusted_count > 1 && (
          <span class="faint num" title={`Stands for ${significant(t.adjusted_count)} traces like it`}>
            {" "}
            ×{significant(t.adjusted_count)}
          </span>
        )}
      </td>
      <td class="r" data-label="Start">
        <Time at={t.start} now={now} />
      </td>
    </tr>
  );
}
