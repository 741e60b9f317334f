import { useEffect, useRef, useState } from "preact/hooks";
import { onThemeChange, resolveColor } from "../theme";
import type { Extent, TraceModel } from "./model";

interface Props {
  model: TraceModel;
  /** Colour number per service of the model. */
  colors: number[];
  times: { start: Float64Array; end: Float64Array };
  whole: Extent;
  view: Extent | null;
  onView: (view: Extent | null) => void;
}

const HEIGHT = 52;

/** The whole trace in a strip: a line per span, errors on top. Dragging over it zooms the waterfall. */
export function Minimap({ model, colors, times, whole, view, onView }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);

  useEffect(() => {
    const at = canvas.current as HTMLCanvasElement;
    const draw = () => drawSpans(at, model, colors, times, whole);
    const resized = new ResizeObserver(draw);
    resized.observe(at);
    const stop = onThemeChange(draw);
    return () => {
      resized.disconnect();
      stop();
    };
  }, [model, colors, times.start, whole]);

  const share = (e: PointerEvent) => {
    const box = (e.currentTarget as Element).getBoundingClientRect();
    return Math.min(1, Math.max(0, (e.clientX - box.left) / box.width));
  };
  const length = whole.to - whole.from;
  const end = () => {
    if (!drag) return;
    const [from, to] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
    setDrag(null);
    if (to - from > 0.002) onView({ from: whole.from + from * length, to: whole.from + to * length });
    else onView(null);
  };
  const shown = drag
    ? { from: Math.min(drag.from, drag.to), to: Math.max(drag.from, drag.to) }
    : view && { from: (view.from - whole.from) / length, to: (view.to - whole.from) / length };
  return (
    <div
      class="minimap"
      title="Drag to zoom, click to see the whole trace"
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId);
        setDrag({ from: share(e), to: share(e) });
      }}
      onPointerMove={(e) => drag && setDrag({ from: drag.from, to: share(e) })}
      onPointerUp={end}
      onPointerCancel={() => setDrag(null)}
    >
      <canvas ref={canvas} height={HEIGHT} />
      {shown && (
        <>
          <i class="shade" style={{ left: 0, width: `${shown.from * 100}%` }} />
          <i class="shade" style={{ left: `${shown.to * 100}%`, right: 0 }} />
        </>
      )}
    </div>
  );
}

function drawSpans(
  at: HTMLCanvasElement,
  m: TraceModel,
  colors: number[],
  { start, end }: Props["times"],
  whole: Extent,
) {
  const ratio = devicePixelRatio;
  const width = Math.round(at.clientWidth * ratio);
  const height = Math.round(HEIGHT * ratio);
  const ctx = at.getContext("2d");
  if (!ctx || width === 0) return;
  at.width = width;
  at.height = height;
  const n = m.spans.length;
  const palette = colors.map((c) => resolveColor(`--svc-${c}`));
  const error = resolveColor("--c-page");
  const scale = width / (whole.to - whole.from);
  const line = Math.max(ratio, Math.min(4 * ratio, height / n - ratio));
  const bar = (i: number, thick: number) => {
    const x = (start[i] - whole.from) * scale;
    ctx.fillRect(x, (i / n) * (height - thick), Math.max(ratio, (end[i] - start[i]) * scale), thick);
  };
  // One colour at a time: changing the colour of a canvas is slow.
  for (let s = 0; s < palette.length; s++) {
    ctx.fillStyle = palette[s];
    for (let i = 0; i < n; i++) if (m.service[i] === s && !m.error[i]) bar(i, line);
  }
  ctx.fillStyle = error;
  for (let i = 0; i < n; i++) if (m.error[i]) bar(i, Math.max(line, 2 * ratio));
}
