import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import * as api from "../api/endpoints";
import type { History, Objective } from "../api/types";
import { useNow, usePoll } from "../api/usePoll";
import { Chart } from "../components/Chart";
import { Empty, Polled } from "../components/Notices";
import { Segmented } from "../components/Segmented";
import { Time } from "../components/Time";
import { burnRate, count, durationSeconds, percent } from "../lib/format";
import type { PlotSeries } from "../lib/plot";
import type { TimeRange } from "../lib/time";
import { type Route, replaceParams } from "../router";
import { CHART_FLOOR, clampedBudget } from "./budget";
import { DEFAULT_RANGE, fromFirstData, rangeOptions, shownRange } from "./range";
import { inUnits, unitHeading } from "./unit";
import { chartWindows } from "./words";

export function HistoryCharts({ objective: o, route }: { objective: Objective; route: Route }) {
  const now = useNow(10_000);
  const range = shownRange(route.params, now);
  const zoomed = route.params.has("start");
  const key = `${o.name} ${zoomed ? route.params : (route.params.get("range") ?? DEFAULT_RANGE)}`;
  const poll = usePoll(
    `history ${key}`,
    (signal) => api.history(o.name, shownRange(route.params, new Date()), signal),
    { interval: zoomed ? 0 : 30_000, keep: true },
  );
  const zoom = (start: Date, end: Date) =>
    replaceParams(route, { range: null, start: start.toISOString(), end: end.toISOString() });
  return (
    <section aria-labelledby="history">
      <div class="section-head">
        <h2 id="history">History</h2>
        <div class="range">
          {zoomed && (
            <span class="faint">
              <Time at={range.start} now={now} /> to <Time at={range.end} now={now} />
            </span>
          )}
          <Segmented
            label="Time range"
            options={rangeOptions(o)}
            value={zoomed ? null : (route.params.get("range") ?? DEFAULT_RANGE)}
            onChange={(r) => replaceParams(route, { range: r, start: null, end: null })}
          />
        </div>
      </div>
      <Polled poll={poll} rows={6}>
        {(h) =>
          h.points.length === 0 ? (
            <Empty title="No history in this range">
              <p>History begins with the first minute that was evaluated.</p>
            </Empty>
          ) : (
            <Charts
              objective={o}
              history={h}
              range={zoomed ? range : fromFirstData(range, h)}
              onZoom={zoom}
            />
          )
        }
      </Polled>
    </section>
  );
}

interface ChartsProps {
  objective: Objective;
  history: History;
  range: TimeRange;
  onZoom: (start: Date, end: Date) => void;
}

function Charts({ objective: o, history: h, range, onZoom }: ChartsProps) {
  const from = range.start.getTime() / 1000;
  const to = range.end.getTime() / 1000;
  const used = chartWindows(o).join(" ");
  const windows = useMemo(() => used.split(" "), [used]);
  const data = useMemo(() => columns(h, windows), [h, windows]);
  const burns = useMemo(() => windows.map(burnSeries), [windows]);
  const shown = useMemo(() => clampedBudget(data.budget), [data]);
  const now = data.budget.findLast((v) => v !== null) ?? 0;
  const below = now < CHART_FLOOR ? now : null;
  const factors = useMemo(() => factorLines(o), [o]);
  const counts = useMemo(() => (n: number | null) => count(n === null ? null : inUnits(o.indicator, n)), [o]);
  const per = PER[h.step_seconds] ?? durationSeconds(h.step_seconds);
  return (
    <div class="charts">
      <Chart
        title="Budget remaining"
        sync={o.name}
        from={from}
        to={to}
        x={data.x}
        ys={[shown]}
        series={[{ label: "remaining", color: "--c-budget", fill: true }]}
        format={budgetPercent}
        aside={below ? `${percent(below)} now, below the chart` : undefined}
        lines={BUDGET_LINES}
        onZoom={onZoom}
      />
      <Chart
        title="Burn rate"
        hint="A tier fires while both of its windows are at or above its factor. The scale is logarithmic above 1×."
        sync={o.name}
        from={from}
        to={to}
        x={data.x}
        ys={data.burns}
        series={burns}
        format={burnRate}
        lines={factors}
        compress
        onZoom={onZoom}
      />
      <Chart
        title={`${unitHeading(o.indicator)} per ${per}`}
        sync={o.name}
        from={from}
        to={to}
        x={data.x}
        ys={[data.total]}
        series={[{ label: o.indicator.unit || "events", color: "--c-events", fill: true }]}
        format={counts}
        fromZero
        onZoom={onZoom}
      />
      <Chart
        title={`Bad ${o.indicator.unit || "events"} per ${per}`}
        sync={o.name}
        from={from}
        to={to}
        x={data.x}
        ys={[data.bad]}
        series={[{ label: "bad", color: "--c-bad", bars: true }]}
        format={counts}
        fromZero
        onZoom={onZoom}
      />
    </div>
  );
}

const PER: Record<number, string> = { 60: "minute", 3600: "hour", 86400: "day" };

/** A value at the floor may be below it. */
function budgetPercent(v: number | null): string {
  return v !== null && v <= CHART_FLOOR ? `≤ ${percent(CHART_FLOOR)}` : percent(v);
}

const BUDGET_LINES = [
  { at: 0.5, color: "--c-cautious", label: "50 %" },
  { at: 0.1, color: "--c-freeze", label: "10 %" },
  { at: 0, color: "--c-exhausted", label: "spent" },
];

/** The lines of the chart's windows, the same as the list's, from the shortest to the longest. */
const BURN_STYLES: Omit<PlotSeries, "label">[] = [
  { color: "--c-burn-5m", width: 1 },
  { color: "--c-burn-1h", width: 2 },
  { color: "--c-burn-6h", width: 2, dash: [6, 3] },
  { color: "--c-burn-3d", width: 2, dash: [2, 3] },
];

function burnSeries(window: string, i: number): PlotSeries {
  return { label: window, ...BURN_STYLES[i % BURN_STYLES.length] };
}

/** A line per factor; tiers that share one share the line. */
function factorLines(o: Objective) {
  const lines = new Map<number, { at: number; color: string; label: string }>();
  for (const t of o.tiers) {
    if (!t.reachable || lines.has(t.factor)) continue;
    const color = t.severity === "page" ? "--c-page" : "--c-ticket";
    lines.set(t.factor, { at: t.factor, color, label: `${t.severity} ${burnRate(t.factor)}` });
  }
  return [...lines.values()];
}

type Column = (number | null)[];

function columns(
  h: History,
  windows: string[],
): {
  x: number[];
  budget: Column;
  total: Column;
  bad: Column;
  burns: uPlot.AlignedData[1][];
} {
  const of = <T,>(pick: (p: History["points"][number]) => T) => h.points.map(pick);
  return {
    x: of((p) => Date.parse(p.time) / 1000),
    budget: of((p) => p.budget_remaining_ratio),
    total: of((p) => p.total),
    bad: of((p) => p.bad),
    burns: windows.map((w) => of((p) => p.burn_rates?.[w] ?? null)),
  };
}
