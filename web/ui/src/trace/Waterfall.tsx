import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Axis } from "./Axis";
import { keyAction } from "./keys";
import type { Extent, TraceModel } from "./model";
import * as tree from "./model";
import { Row, type RowContext } from "./Row";

export interface WaterfallProps extends RowContext {
  model: TraceModel;
  /** Indexes of the shown spans, in order. */
  rows: Int32Array;
  /** Incremented to move the focus to the active row. */
  focusRequest: number;
  view: Extent;
  onActive: (index: number) => void;
  onZoom: (index: number) => void;
}

// In pixels, as styles/trace.css has them.
const AXIS_HEIGHT = 30;
const ROW = 26;
const TALL_ROW = 46;

/** Taller rows with two lines where the screen is narrow. */
function useRowHeight(): number {
  const [narrow] = useState(() => matchMedia("(max-width: 640px)"));
  const [height, setHeight] = useState(narrow.matches ? TALL_ROW : ROW);
  useEffect(() => {
    const changed = () => setHeight(narrow.matches ? TALL_ROW : ROW);
    narrow.addEventListener("change", changed);
    return () => narrow.removeEventListener("change", changed);
  }, [narrow]);
  return height;
}

/** The rows of a trace. Only visible rows and the active one are in the document. */
export function Waterfall(p: WaterfallProps) {
  const { model: m, rows, active, view } = p;
  const scroller = useRef<HTMLDivElement>(null);
  const height = useRowHeight();
  const [first, last] = useVisibleRange(scroller, height, rows.length);
  const activeRow = tree.rowOf(rows, active);
  const focusWithin = useRef(false);

  const reveal = () => {
    const at = scroller.current;
    if (!at) return;
    const top = activeRow * height;
    const room = at.clientHeight - AXIS_HEIGHT;
    if (top < at.scrollTop) at.scrollTop = top;
    else if (top + height > at.scrollTop + room) at.scrollTop = top + height - room;
  };
  const focusRow = () =>
    scroller.current
      ?.querySelector<HTMLElement>('[role="row"][tabindex="0"]')
      ?.focus({ preventScroll: true });

  // Dependencies: follows the active row and no other change
  useLayoutEffect(() => {
    reveal();
    if (focusWithin.current) focusRow();
  }, [activeRow, active]);
  // Dependencies: runs when the focus is requested
  useEffect(() => {
    if (p.focusRequest === 0) return;
    reveal();
    focusRow();
  }, [p.focusRequest]);

  const onKeyDown = (e: KeyboardEvent) => {
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / height) - 2);
    const action =
      e.ctrlKey || e.metaKey || e.altKey ? null : keyAction(e.key, m, rows, p.collapsed, active, page);
    if (!action) return;
    e.preventDefault();
    if (action.type === "move") p.onActive(action.index);
    else if (action.type === "toggle") p.onToggle(active);
    else if (action.type === "open") p.onOpen(active);
    else p.onZoom(active);
  };

  const shown: number[] = [];
  for (let r = first; r < last; r++) shown.push(r);
  // The active row keeps the focus, so it stays in the document when it is scrolled out of sight.
  if (activeRow >= 0 && activeRow < first) shown.unshift(activeRow);
  else if (activeRow >= last) shown.push(activeRow);

  return (
    <div
      ref={scroller}
      class="waterfall"
      role="treegrid"
      aria-label="Spans, by start and parent"
      aria-rowcount={rows.length + 1}
      aria-colcount={2}
      style={{ height: `${rows.length * height + AXIS_HEIGHT + 2}px` }}
      onKeyDown={onKeyDown}
      onFocusIn={() => {
        focusWithin.current = true;
      }}
      onFocusOut={(e) => {
        focusWithin.current = e.currentTarget.contains(e.relatedTarget as Node | null);
      }}
    >
      <Axis view={view} narrow={height === TALL_ROW} />
      <div class="rows" role="rowgroup" style={{ height: `${rows.length * height}px` }}>
        {shown.map((r) => (
          <Row key={rows[r]} row={r} index={rows[r]} height={height} context={p} isActive={r === activeRow} />
        ))}
      </div>
    </div>
  );
}

/** The rows in sight, [first, last), as the element scrolls and is resized. */
function useVisibleRange(scroller: { current: HTMLDivElement | null }, height: number, total: number) {
  const [seen, setSeen] = useState({ top: 0, viewport: 800 });
  useLayoutEffect(() => {
    const at = scroller.current as HTMLDivElement;
    let frame = 0;
    const measure = () => {
      frame = 0;
      setSeen((was) =>
        was.top === at.scrollTop && was.viewport === at.clientHeight
          ? was
          : { top: at.scrollTop, viewport: at.clientHeight },
      );
    };
    const later = () => {
      if (frame === 0) frame = requestAnimationFrame(measure);
    };
    const resized = new ResizeObserver(later);
    resized.observe(at);
    at.addEventListener("scroll", later, { passive: true });
    measure();
    return () => {
      resized.disconnect();
      at.removeEventListener("scroll", later);
      cancelAnimationFrame(frame);
    };
  }, [scroller]);
  return tree.windowOf(seen.top, seen.viewport, height, total);
}
