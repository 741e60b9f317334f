import { useEffect, useRef, useState } from "preact/hooks";
import type { TraceSummary } from "../api/types";
import { durationMs, plural } from "../lib/format";
import { clockTime, niceTicks, type TimeRange } from "../lib/time";
import { links } from "../router";

const HEIGHT = 190;
const PAD = { left: 56, right: 14, top: 10, bottom: 22 };

/** Traces by start and duration (logarithmic). Errors are diamonds. Each links to its trace, as in the table. */
export function Scatter({ traces, range }: { traces: TraceSummary[]; range: TimeRange }) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(800);
  useEffect(() => {
    const at = place.current as HTMLDivElement;
    const resized = new ResizeObserver(() => setWidth(at.clientWidth));
    resized.observe(at);
    return () => resized.disconnect();
  }, []);
  const view = project(traces, range, width);
  return (
    <div ref={place} class="scatter" aria-hidden="true">
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} width={width} height={HEIGHT}>
        {view.durations.map((ms) => (
          <g key={ms}>
            <line class="grid" x1={PAD.left} x2={width - PAD.right} y1={view.y(ms)} y2={view.y(ms)} />
            <text x={PAD.left - 8} y={view.y(ms)} text-anchor="end" dominant-baseline="central">
              {durationMs(ms)}
            </text>
          </g>
        ))}
        {view.times.map((s) => (
          <text key={s} x={view.x(s)} y={HEIGHT - 6} text-anchor="middle">
            {clockTime(new Date(s * 1000)).slice(0, view.seconds ? 8 : 5)}
          </text>
        ))}
        {traces.map((t) => (
          <Dot key={t.trace_id} trace={t} x={view.x(Date.parse(t.start) / 1000)} y={view.y(t.duration_ms)} />
        ))}
      </svg>
    </div>
  );
}

function Dot({ trace: t, x, y }: { trace: TraceSummary; x: number; y: number }) {
  const r = Math.min(10, 3 + Math.log10(Math.max(1, t.span_count)) * 1.6);
  const title = `${t.root_service} ${t.root_operation}: ${durationMs(t.duration_ms)}, ${plural(t.span_count, "span")}, ${plural(t.error_count, "error")}`;
  return (
    <a href={links.trace(t.trace_id)} tabindex={-1}>
      <title>{title}</title>
      {t.error_count > 0 ? (
        <path
          class="dot dot-error"
          d={`M${x} ${y - r - 1}l${r + 1} ${r + 1}l${-r - 1} ${r + 1}l${-r - 1} ${-r - 1}z`}
        />
      ) : (
        <circle class="dot" cx={x} cy={y} r={r} />
      )}
    </a>
  );
}

/** Scales and ticks of the plot. The time axis shows the part of the range that has traces. */
function project(traces: TraceSummary[], range: TimeRange, width: number) {
  const starts = traces.map((t) => Date.parse(t.start) / 1000);
  let from = Math.min(...starts);
  let to = Math.max(...starts);
  const margin = Math.max(1, (to - from) * 0.03);
  from = Math.max(from - margin, range.start.getTime() / 1000);
  to = Math.max(to + margin, from + 1);
  const logs = traces.map((t) => Math.log10(Math.max(t.duration_ms, 1e-4)));
  const low = Math.floor(Math.min(...logs) * 2) / 2;
  const high = Math.max(low + 0.5, Math.ceil(Math.max(...logs) * 2) / 2);
  const durations: number[] = [];
  for (let e = Math.ceil(low); e <= high; e++) durations.push(10 ** e);
  return {
    x: (s: number) => PAD.left + ((s - from) / (to - from)) * (width - PAD.left - PAD.right),
    y: (ms: number) =>
      PAD.top + (1 - (Math.log10(Math.max(ms, 1e-4)) - low) / (high - low)) * (HEIGHT - PAD.top - PAD.bottom),
    durations,
    times: minuteTicks(from, to, Math.max(2, Math.floor((width - PAD.left) / 110))),
    seconds: to - from < 180,
  };
}

const STEPS = [1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 10800, 21600, 43200, 86400];

/** Ticks on round minutes and hours of the viewer's zone. */
function minuteTicks(from: number, to: number, n: number): number[] {
  const step = STEPS.find((s) => (to - from) / s <= n);
  if (!step) return niceTicks(from, to, n);
  const zone = new Date(from * 1000).getTimezoneOffset() * 60;
  const ticks: number[] = [];
  for (let t = Math.ceil((from - zone) / step) * step + zone; t <= to; t += step) ticks.push(t);
  return ticks;
}
