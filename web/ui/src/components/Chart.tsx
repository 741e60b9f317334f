import { useEffect, useId, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { CHART_HEIGHT, drawChart, type Plot, setChartData } from "../lib/plot";
import { onThemeChange } from "../theme";

export interface ChartProps extends Plot {
  title: string;
  hint?: string;
  /** Beside the title: a figure that the chart cannot show. */
  aside?: string;
}

/** A time series; dragging over it zooms in. A text summary serves readers who cannot see it. */
export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const id = useId();
  // The properties that the plot is built from: new data alone do not rebuild it.
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
      plot.current?.setSize({ width: at.clientWidth, height: CHART_HEIGHT }),
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
        {props.aside && <b class="chart-aside num"> {props.aside}</b>}
        <span class="sr">. {spoken(props)}</span>
      </figcaption>
      <div ref={place} class="chart-plot" aria-hidden="true" />
    </figure>
  );
}

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
