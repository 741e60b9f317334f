import { useMemo } from "preact/hooks";
import type { Clock, Trace } from "../api/types";
import { CopyButton } from "../components/CopyButton";
import { Fact } from "../components/Fact";
import { Icon } from "../components/Icon";
import { Service } from "../components/Service";
import { TableScroll } from "../components/TableScroll";
import { Time } from "../components/Time";
import { assignColors } from "../lib/color";
import { count, durationMs, durationNs, plural, significant } from "../lib/format";
import { links } from "../router";

/** The facts about a trace as a whole. */
export function TraceHead({ trace: t }: { trace: Trace }) {
  const s = t.summary;
  const now = useMemo(() => new Date(), []);
  const colors = useMemo(() => assignColors(s.services.map((x) => x.name)), [s]);
  return (
    <div class="trace-head">
      <dl class="facts">
        <Fact name="Duration">
          <b class="num">{durationMs(s.duration_ms)}</b>
        </Fact>
        <Fact name="Started">
          <Time at={s.start} now={now} millis />
        </Fact>
        <Fact name="Spans">
          <b class="num">{count(s.span_count)}</b>
        </Fact>
        <Fact name="Errors">
          <b class={s.error_count ? "num error-text" : "num"}>{count(s.error_count)}</b>
        </Fact>
        <Fact name="Kept by">
          <a href={links.traces({ policy: t.kept.policy })}>{t.kept.policy || "unknown"}</a>
          {t.kept.adjusted_count > 1 && (
            <span class="faint">
              , stands for {significant(t.kept.adjusted_count)} traces{" "}
              <code title="The sampling threshold, th in the W3C tracestate">th:{t.kept.threshold}</code>
            </span>
          )}
          <a class="why" href={links.sampling({ trace: t.trace_id })}>
            why?<span class="sr"> What every policy said</span>
          </a>
          <Marks trace={t} />
        </Fact>
        <Fact name="Trace ID">
          <code>{t.trace_id}</code> <CopyButton text={t.trace_id} label="Copy the trace ID" />
        </Fact>
      </dl>
      <p class="chips">
        {s.services.map((x) => (
          <Service key={x.name} name={x.name} color={colors.get(x.name)}>
            <span class="faint num">{count(x.spans)}</span>
            {x.errors > 0 && <b class="error-text num">{count(x.errors)} ✕</b>}
          </Service>
        ))}
      </p>
      <Warnings trace={t} />
      <Clocks trace={t} />
    </div>
  );
}

/** The oddities of the decision. */
function Marks({ trace: { marks: m } }: { trace: Trace }) {
  return (
    <>
      {m.revived && (
        <p class="faint">
          <span class="chip">revived</span> not kept at first, but after a late span came
        </p>
      )}
      {m.linked_trace_id && (
        <p class="faint">
          <span class="chip">linked</span> kept for its link with{" "}
          <a href={links.trace(m.linked_trace_id)} title={m.linked_trace_id}>
            <code>{m.linked_trace_id.slice(0, 16)}</code>
          </a>
        </p>
      )}
    </>
  );
}

function Warnings({ trace: t }: { trace: Trace }) {
  const all = [
    ...(t.orphans > 0 ? [`${plural(t.orphans, "span")} without the parent they name`] : []),
    ...(t.duplicates > 0 ? [`${plural(t.duplicates, "duplicate span")} left out`] : []),
    ...(t.kept.late_spans > 0
      ? [`${plural(t.kept.late_spans, "span")} came after the decision to keep the trace`]
      : []),
    ...(t.marks.trimmed_spans > 0
      ? [`${plural(t.marks.trimmed_spans, "span")} left out, because the trace was too large`]
      : []),
    ...(t.marks.text_repaired ? ["Text of a resource or scope was not UTF-8, and was made valid"] : []),
    ...(t.summary.complete ? [] : ["The trace is incomplete"]),
    ...t.warnings,
  ];
  if (all.length === 0) return null;
  return (
    <ul class="warnings">
      {all.map((w) => (
        <li key={w}>
          <Icon name="page" /> {w}
        </li>
      ))}
    </ul>
  );
}

const CLOCK_WORDS: Record<Trace["clock"]["status"], string> = {
  none: "The clocks agree: no time was changed.",
  bounded: "Clocks disagreed and were corrected, within the uncertainty shown.",
  one_sided:
    "Clocks disagreed and were corrected; some are bounded on one side only: their correction is the smallest possible.",
  step: "A clock stepped within this trace; spans before and after the step were corrected apart.",
  residual: "Clocks do not explain all of the disorder: some spans were shifted behind their parents.",
};

function Clocks({ trace: t }: { trace: Trace }) {
  const { status, clocks } = t.clock;
  const words = CLOCK_WORDS[status] ?? status;
  if (status === "none" || clocks.length === 0) return <p class="faint clock-line">{words}</p>;
  return (
    <details class="clocks">
      <summary>
        <Icon name="clock" /> {words}
      </summary>
      <TableScroll label="Clocks">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Clock</th>
              <th scope="col" class="r">
                Correction
              </th>
              <th scope="col" class="r">
                Uncertainty
              </th>
              <th scope="col" class="r">
                Pairs
              </th>
              <th scope="col">Status</th>
            </tr>
          </thead>
          <tbody>
            {clocks.map((c) => (
              <ClockRow key={c.name} clock={c} />
            ))}
          </tbody>
        </table>
      </TableScroll>
    </details>
  );
}

function ClockRow({ clock: c }: { clock: Clock }) {
  const offset = Number(c.offset_ns);
  return (
    <tr>
      <th scope="row">{c.name}</th>
      <td class="r num">{offset === 0 ? "none" : `${offset > 0 ? "+" : ""}${durationNs(offset)}`}</td>
      <td class="r num">
        {c.uncertainty_ns === null ? "unbounded" : `± ${durationNs(Number(c.uncertainty_ns))}`}
      </td>
      <td class="r num">{c.pairs}</td>
      <td>{c.status.replace("_", " ")}</td>
    </tr>
  );
}
