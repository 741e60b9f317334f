// uPlot, dressed in the dashboard's colours.

import uPlot from "uplot";
import { resolveColor } from "../theme";
import { clockTime, moment, shortDate } from "./time";

export interface ReferenceLine {
  at: number;
  color: string;
  label: string;
}

export interface PlotSeries {
  label: string;
  /** A CSS token. */
  color: string;
  width?: number;
  dash?: number[];
  fill?: boolean;
  bars?: boolean;
}

/** The content of a chart. */
export interface Plot {
  /** Charts with the same key share the cursor. */
  sync: string;
  /** The range of the time axis in seconds since 1970; data may cover a part of it only. */
  from: number;
  to: number;
  /** Seconds since 1970, ascending. */
  x: number[];
  ys: (number | null)[][] | uPlot.AlignedData[1][];
  series: PlotSeries[];
  format: (v: number | null) => string;
  /** Horizontal lines to compare the values with. */
  lines?: ReferenceLine[];
  /** A scale that is linear from 0 to 1 and compresses larger values. */
  compress?: boolean;
  fromZero?: boolean;
  onZoom?: (start: Date, end: Date) => void;
}

export const CHART_HEIGHT = 200;

/** The most values that are drawn as points too. */
const FEW = 20;

/** Draws a chart into `at`. `latest` returns the present content: the range and the zoom handler change under a plot. */
export function drawChart(at: HTMLElement, latest: () => Plot): uPlot {
  const p = latest();
  const ink = resolveColor("--text-3");
  const grid = { stroke: resolveColor("--line"), width: 1 };
  const font = `11px ${getComputedStyle(at).fontFamily}`;
  const max = p.lines && p.compress ? Math.max(...p.lines.map((l) => l.at), 1) * 1.15 : 0;
  const options: uPlot.Options = {
    width: Math.max(at.clientWidth, 100),
    height: CHART_HEIGHT,
    padding: [10, 22, 0, 0],
    cursor: {
      sync: { key: p.sync },
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
    },
    legend: { live: true },
    scales: {
      x: { range: () => [latest().from, latest().to] },
      y: {
        range: (_u, lo, hi) => yRange(lo, hi, p, max),
        ...(p.compress ? { distr: 4 as const, asinh: 1 } : {}),
      },
    },
    axes: [
      { stroke: ink, font, grid, ticks: { show: false }, gap: 6, size: 26, space: 64, values: timeLabels },
      {
        stroke: ink,
        font,
        grid,
        ticks: { show: false },
        gap: 6,
        size: 56,
        space: 28,
        values: (_u, ticks) => ticks.map((t) => (t === null ? "" : p.format(t))),
        ...(p.compress ? { splits: (u: uPlot) => compressedSplits(u.scales.y.max ?? 1) } : {}),
      },
    ],
    series: [
      { label: "time", value: (_u, v) => (v === null ? "–" : moment(new Date(v * 1000), new Date())) },
      ...p.series.map((s): uPlot.Series => {
        const stroke = resolveColor(s.color);
        return {
          label: s.label,
          stroke,
          width: s.width ?? 1.5,
          dash: s.dash,
          fill: s.fill || s.bars ? withAlpha(stroke, s.bars ? 0.75 : 0.14) : undefined,
          paths: s.bars ? uPlot.paths.bars?.({ size: [0.8, 12] }) : undefined,
          // A line through few values is hardly visible.
          points: { show: !s.bars && ((_u, _i, first, last) => last - first < FEW), size: 5 },
          value: (_u, v) => p.format(v),
        };
      }),
    ],
    hooks: {
      ready: [showLast],
      setData: [showLast],
      setCursor: [(u) => ((u.cursor.left ?? -1) < 0 ? showLast(u) : undefined)],
      draw: [(u) => drawLines(u, p.lines ?? [], font)],
      setSelect: [
        (u) => {
          if (u.select.width < 4) return;
          const from = u.posToVal(u.select.left, "x");
          const to = u.posToVal(u.select.left + u.select.width, "x");
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          latest().onZoom?.(new Date(from * 1000), new Date(to * 1000));
        },
      ],
    },
  };
  return new uPlot(options, [p.x, ...p.ys] as uPlot.AlignedData, at);
}

/** The legend shows the last values unless the pointer is on the chart. */
function showLast(u: uPlot): void {
  u.setLegend({ idx: u.data[0].length - 1 }, false);
}

export function setChartData(u: uPlot, x: number[], ys: Plot["ys"]): void {
  u.setData([x, ...ys] as uPlot.AlignedData);
}

function yRange(lo: number, hi: number, p: Plot, max: number): uPlot.Range.MinMax {
  if (p.compress) return [0, Math.max(max, (hi ?? 0) * 1.15)];
  if (p.fromZero) return [0, Math.max(1, (hi ?? 0) * 1.1)];
  // A budget: 0 and 100 % are always in sight, negative values when it is overspent.
  const from = Math.min(0, lo ?? 0);
  return [from < 0 ? from - 0.05 : 0, Math.max(1, hi ?? 1)];
}

/** 0, 1, then three ticks per decade up to the maximum. */
function compressedSplits(max: number): number[] {
  const splits = [0, 1];
  for (let power = 1; power <= max; power *= 10) {
    for (const m of [3, 10]) if (m * power <= max) splits.push(m * power);
  }
  return splits;
}

/** Hours and minutes, with the date where a day begins, or dates alone where ticks are days apart. */
function timeLabels(_u: uPlot, ticks: number[], _axis: number, _space: number, step: number): string[] {
  let day = "";
  return ticks.map((t, i) => {
    const d = new Date(t * 1000);
    const date = shortDate(d);
    const newDay = i > 0 && date !== day;
    day = date;
    return step >= 86400 || newDay ? date : clockTime(d).slice(0, step < 60 ? 8 : 5);
  });
}

function withAlpha(color: string, alpha: number): string {
  return `color-mix(in srgb, ${color} ${alpha * 100}%, transparent)`;
}

function drawLines(u: uPlot, lines: ReferenceLine[], font: string): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.font = font.replace("11px", `${10 * ratio}px`);
  ctx.textAlign = "right";
  const halo = resolveColor("--surface");
  const right = bbox.left + bbox.width - 4 * ratio;
  const placed: { left: number; top: number; bottom: number }[] = [];
  for (const line of [...lines].sort((a, b) => b.at - a.at)) {
    const y = u.valToPos(line.at, "y", true);
    if (y < bbox.top - 1 || y > bbox.top + bbox.height + 1) continue;
    const color = resolveColor(line.color);
    ctx.strokeStyle = color;
    ctx.fillStyle = color;
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.lineWidth = 4 * ratio;
    ctx.strokeStyle = halo; // keeps the words readable on top of the data
    const below = y - bbox.top < 12 * ratio; // no room above
    ctx.textBaseline = below ? "top" : "bottom";
    const textY = y + (below ? 3 : -2) * ratio;
    // Where lines lie close, a label goes left of those at its height rather than on top of them.
    const top = below ? textY : textY - 11 * ratio;
    const bottom = top + 11 * ratio;
    const beside = placed.filter((l) => l.top < bottom && top < l.bottom);
    const x = Math.min(right, ...beside.map((l) => l.left - 8 * ratio));
    placed.push({ left: x - ctx.measureText(line.label).width, top, bottom });
    ctx.strokeText(line.label, x, textY);
    ctx.fillText(line.label, x, textY);
  }
  ctx.restore();
}
