import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Trace } from "../api/types";
import { assignColors } from "../lib/color";
import { type Route, replaceParams } from "../router";
import { Minimap } from "./Minimap";
import type { Extent, TraceModel } from "./model";
import * as tree from "./model";
import { SpanPanel } from "./SpanPanel";
import { searchSpans } from "./search";
import { Toolbar } from "./Toolbar";
import { Waterfall } from "./Waterfall";

/** The waterfall with its tools and the panel of the selected span. */
export function TraceView({ trace, model: m, route }: { trace: Trace; model: TraceModel; route: Route }) {
  const v = useTraceState(m, route);
  const colors = useMemo(() => {
    const assigned = assignColors(m.services);
    return m.services.map((s) => assigned.get(s) as number);
  }, [m]);
  if (m.spans.length === 0) return <p class="notice">The trace has no spans.</p>;
  const times = v.raw ? { start: m.rawStart, end: m.rawEnd } : { start: m.start, end: m.end };
  const ghost = v.raw ? { start: m.start, end: m.end } : { start: m.rawStart, end: m.rawEnd };
  return (
    <section class="trace-view" aria-label="Spans">
      <Toolbar
        model={m}
        query={v.query}
        onQuery={v.setQuery}
        matches={v.matches}
        active={v.active}
        onGo={v.go}
        onCollapse={v.setCollapsed}
        raw={v.raw}
        onRaw={v.setRaw}
        zoomed={v.view !== null}
        onWhole={() => v.setView(null)}
      />
      <Minimap model={m} colors={colors} times={times} whole={v.whole} view={v.view} onView={v.setView} />
      <div class={v.selected >= 0 ? "split open" : "split"}>
        <Waterfall
          model={m}
          colors={colors}
          rows={v.rows}
          collapsed={v.collapsed}
          times={times}
          ghost={m.hasCorrection ? ghost : null}
          bands={!v.raw}
          view={v.view ?? v.whole}
          active={v.active}
          selected={v.selected}
          matches={v.query ? v.matches : null}
          focusRequest={v.focusRequest}
          onActive={v.activate}
          onOpen={v.open}
          onToggle={v.toggle}
          onZoom={(i) => v.setView(around(times, i, v.whole))}
        />
        {v.selected >= 0 && (
          <SpanPanel
            key={v.selected}
            trace={trace}
            model={m}
            index={v.selected}
            color={colors[m.service[v.selected]]}
            onGo={v.go}
            onZoom={() => v.setView(around(times, v.selected, v.whole))}
            onClose={v.close}
          />
        )}
      </div>
      <p class="faint keys">
        In the waterfall: arrow keys move, open and close, <kbd>Enter</kbd> shows a span, <kbd>z</kbd> zooms
        to it.
      </p>
    </section>
  );
}

interface Times {
  start: Float64Array;
  end: Float64Array;
}

/** A view that shows a span with some room on both sides. */
function around({ start, end }: Times, i: number, whole: Extent): Extent | null {
  if (Number.isNaN(start[i])) return null;
  const room = Math.max((end[i] - start[i]) * 0.1, (whole.to - whole.from) * 1e-4, 1);
  return { from: Math.max(whole.from, start[i] - room), to: Math.min(whole.to, end[i] + room) };
}

/** The pause after typing and arrow keys before the URL changes: browsers limit how often it may. */
const URL_REST_MS = 400;

function useTraceState(m: TraceModel, route: Route) {
  const [collapsed, setCollapsed] = useState<Uint8Array>(() => new Uint8Array(m.spans.length));
  const [selected, setSelected] = useState(() => indexOfSpan(m, route.params.get("span")));
  const [active, setActive] = useState(Math.max(0, selected));
  const [query, setQuery] = useState(route.params.get("q") ?? "");
  const [view, setView] = useState<Extent | null>(null);
  const [focusRequest, setFocusRequest] = useState(0);
  const raw = route.params.get("times") === "raw";
  const rows = useMemo(() => tree.visibleRows(m, collapsed), [m, collapsed]);
  const matches = useMemo(() => searchSpans(m.spans, query), [m, query]);

  const asked = route.params.get("span");
  const known = useRef(asked);
  const latest = useRef(route);
  latest.current = route;
  useEffect(() => {
    const timer = setTimeout(() => {
      const p = latest.current.params;
      const span = m.spans[selected]?.span_id ?? null;
      known.current = span;
      if ((p.get("span") ?? null) !== span || (p.get("q") ?? "") !== query)
        replaceParams(latest.current, { span, q: query });
    }, URL_REST_MS);
    return () => clearTimeout(timer);
  }, [m, selected, query]);

  // Follows a link to a span of the trace on screen, or Back.
  useEffect(() => {
    if (asked === known.current) return;
    known.current = asked;
    const i = indexOfSpan(m, asked);
    setSelected(i);
    if (i >= 0) {
      setCollapsed((c) => tree.reveal(m, c, i));
      setActive(i);
    }
  }, [m, asked]);

  const activate = useCallback((i: number) => {
    setActive(i);
    setSelected((s) => (s >= 0 ? i : s)); // an open panel follows
  }, []);
  return {
    collapsed,
    setCollapsed,
    selected,
    active,
    query,
    setQuery,
    view,
    setView,
    rows,
    matches,
    raw,
    activate,
    focusRequest,
    whole: raw ? m.raw : m.corrected,
    setRaw: (on: boolean) => {
      setView(null);
      replaceParams(route, { times: on ? "raw" : null });
    },
    open: (i: number) => {
      setActive(i);
      setSelected(i);
    },
    close: () => {
      setSelected(-1);
      setFocusRequest((n) => n + 1);
    },
    toggle: (i: number) => setCollapsed((c) => tree.toggled(m, c, i)),
    /** Scrolls to a span, expands its ancestors, and makes it the active one. */
    go: (i: number) => {
      if (i < 0) return;
      setCollapsed((c) => tree.reveal(m, c, i));
      activate(i);
      setFocusRequest((n) => n + 1);
    },
  };
}

function indexOfSpan(m: TraceModel, id: string | null): number {
  return id ? m.spans.findIndex((s) => s.span_id === id) : -1;
}
