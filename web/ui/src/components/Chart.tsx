import { useEffect, useId, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { drawChart, type ReferenceLine, setChartData } from "../lib/plot";
import { onThemeChange } from "../theme";

export interface ChartSeries {
  label: string;
  /** A CSS token. */
  color: string;
  width?: number;
  dash?: number[];
  fill?: boolean;
  bars?: boolean;
}

export interface ChartProps {
  title: string;
  hint?: string;
  /** Charts with the same key share the cursor. */
  sync: string;
  /** What the time axis shows, in seconds since 1970; there may be data for a part of it only. */
  from: number;
  to: number;
  /** Seconds since 1970, ascending. */
  x: number[];
  ys: (number | null)[][] | uPlot.AlignedData[1][];
  series: ChartSeries[];
  format: (v: number | null) => string;
  /** Horizontal lines to hold the values against. */
  lines?: ReferenceLine[];
  /** A scale that shows 0 to 1 linearly and compresses what is above. */
  compress?: boolean;
  fromZero?: boolean;
  onZoom?: (start: Date, end: Date) => void;
}

/** A time series; dragging over it zooms in. What it shows is also said in words, for those who cannot see it. */
export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const id = useId();
  // What the plot is built from: other data alone does not rebuild it.
  const shape = JSON.stringify([props.series, props.lines, props.compress, props.fromZero, props.sync]);

  // Dependencies: `shape` stands for the props that matter
  useEffect(() => {
    const at = place.current as HTMLDivElement;
    const draw = () => {
      plot.current?.destroy();
      plot.current = drawChart(at, () => latest.current);
    };
    draw();
    const resized = new ResizeObserver(() =>
      plot.current?.setSize({ width: at.clientWidth, height: HEIGHT }),
    );
    resized.observe(at);
    const stop = onThemeChange(draw);
    return () => {
      stop();
      resized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    if (plot.current) setChartData(plot.current, props.x, props.ys);
  }, [props.x, props.ys, props.from, props.to]);

  return (
    <figure class="chart" aria-labelledby={id}>
      <figcaption id={id}>
        <span title={props.hint}>{props.title}</span>
        <span class="sr">. {spoken(props)}</span>
      </figcaption>
      <div ref={place} class="chart-plot" aria-hidden="true" />
    </figure>
  );
}

const HEIGHT = 200;

/** "5m: now 38×, between 0.2× and 40×." */
function spoken({ ys, series, format }: ChartProps): string {
  return series
    .map((s, i) => {
      const values = [...(ys[i] as (number | null)[])].filter((v) => v !== null);
      if (values.length === 0) return `${s.label}: no values.`;
      const [min, max] = values.reduce(
        ([a, b], v) => [Math.min(a, v), Math.max(b, v)],
        [Infinity, -Infinity],
      );
      return `${s.label}: last ${format(values[values.length - 1])}, between ${format(min)} and ${format(max)}.`;
    })
    .join(" ");
}
