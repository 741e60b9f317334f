import { Icon } from "../components/Icon";
import { count, durationNs } from "../lib/format";
import { badges } from "./flags";
import { barOf, labelSide } from "./layout";
import type { Extent, TraceModel } from "./model";
import * as tree from "./model";

/** Properties that all rows of a waterfall share. */
export interface RowContext {
  model: TraceModel;
  colors: number[];
  collapsed: Uint8Array;
  times: { start: Float64Array; end: Float64Array };
  /** The other times (raw beside corrected), drawn as a hairline; null when there are none. */
  ghost: { start: Float64Array; end: Float64Array } | null;
  /** Whether to draw the uncertainty of the times. */
  bands: boolean;
  view: Extent;
  active: number;
  selected: number;
  /** Sorted indexes of the spans found; null without a search. */
  matches: Int32Array | null;
  onOpen: (index: number) => void;
  onToggle: (index: number) => void;
}

interface Props {
  row: number;
  index: number;
  height: number;
  isActive: boolean;
  context: RowContext;
}

/** Indentation per level, and the level from which it no longer grows. */
const INDENT_PX = 12;
const MAX_INDENT = 14;

export function Row({ row, index: i, height, isActive, context: c }: Props) {
  const m = c.model;
  const s = m.spans[i];
  const open = tree.hasChildren(m, i) ? !c.collapsed[i] : undefined;
  const hidden = open === false ? tree.errorsBelow(m, i) : 0;
  const found = c.matches === null ? null : includes(c.matches, i);
  const classes = [
    "row",
    `svc-${c.colors[m.service[i]]}`,
    m.error[i] ? "error" : "",
    s.synthetic ? "synthetic" : "",
    i === c.selected ? "selected" : "",
    found === true ? "found" : found === false ? "dim" : "",
  ];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the treegrid handles the keys of all rows
    <div
      class={classes.filter(Boolean).join(" ")}
      role="row"
      aria-rowindex={row + 2}
      aria-level={m.depth[i] + 1}
      aria-expanded={open}
      aria-selected={i === c.selected}
      tabIndex={isActive ? 0 : -1}
      style={{ top: `${row * height}px`, height: `${height}px` }}
      onClick={() => c.onOpen(i)}
    >
      <div
        class="cell-name"
        role="gridcell"
        style={{ paddingLeft: `${Math.min(m.depth[i], MAX_INDENT) * INDENT_PX + 4}px` }}
      >
        {open === undefined ? (
          <i class="twig" />
        ) : (
          <button
            type="button"
            class="twisty"
            tabIndex={-1}
            aria-label={open ? "Collapse" : "Expand"}
            onClick={(e) => {
              e.stopPropagation();
              c.onToggle(i);
            }}
          >
            <Icon name={open ? "down" : "right"} />
          </button>
        )}
        {m.depth[i] > MAX_INDENT && <span class="depth num">{m.depth[i]}</span>}
        {!!m.error[i] && <Icon name="page" label="Error" />}
        <span class="row-service">{s.service || "unknown"}</span>
        <span class="row-name">{s.name}</span>
        {hidden > 0 && <span class="chip chip-error">{count(hidden)} ✕ below</span>}
        {open === false && <span class="chip num">+{count(m.subtreeEnd[i] - i - 1)}</span>}
        {badges(s).map((b) => (
          <span key={b.text} class="chip chip-warn" title={b.meaning}>
            {b.text}
          </span>
        ))}
      </div>
      <div class="cell-time" role="gridcell">
        <Bar index={i} context={c} />
      </div>
    </div>
  );
}

function Bar({ index: i, context: c }: { index: number; context: RowContext }) {
  const m = c.model;
  const bar = barOf(c.times.start[i], c.times.end[i], c.view);
  const duration = durationNs(Number(m.spans[i].duration_ns));
  if (!bar) {
    const before = c.times.end[i] < c.view.from;
    return (
      <span class={before ? "outside" : "outside after"}>
        {Number.isNaN(c.times.start[i]) ? "no start time" : before ? "‹ earlier" : "later ›"}{" "}
        <span class="sr">{duration}</span>
      </span>
    );
  }
  const moved = c.ghost && c.ghost.start[i] !== c.times.start[i];
  const u = m.uncertainty[i];
  const band = c.bands && moved && u > 0 ? barOf(c.times.start[i] - u, c.times.end[i] + u, c.view) : null;
  const ghost = moved && c.ghost ? barOf(c.ghost.start[i], c.ghost.end[i], c.view) : null;
  const side = labelSide(bar);
  const label =
    side === "after"
      ? { left: `${bar.left + bar.width}%` }
      : side === "before"
        ? { right: `${100 - bar.left}%` }
        : { right: `${100 - bar.left - bar.width}%` };
  return (
    <>
      {band && <i class="band" style={{ left: `${band.left}%`, width: `${band.width}%` }} />}
      <i class="bar" style={{ left: `${bar.left}%`, width: `${bar.width}%` }} />
      {ghost && <i class="ghost" style={{ left: `${ghost.left}%`, width: `${ghost.width}%` }} />}
      <span class={`bar-label ${side} num`} style={label}>
        {duration}
      </span>
    </>
  );
}

/** Binary search in sorted indexes. */
function includes(sorted: Int32Array, i: number): boolean {
  const r = tree.rowOf(sorted, i);
  return r >= 0 && sorted[r] === i;
}
