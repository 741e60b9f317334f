// The keyboard of the waterfall, as the ARIA pattern for treegrids has it.

import type { TraceModel } from "./model";
import * as tree from "./model";

export type KeyAction =
  | { type: "move"; index: number }
  | { type: "toggle" }
  | { type: "open" }
  | { type: "zoom" };

/** The effect of a key on the active span; null for other keys. `page` is the number of visible rows. */
export function keyAction(
  key: string,
  m: TraceModel,
  rows: Int32Array,
  collapsed: Uint8Array,
  active: number,
  page: number,
): KeyAction | null {
  const row = tree.rowOf(rows, active);
  if (row < 0) return null;
  const move = (to: number): KeyAction => ({
    type: "move",
    index: rows[Math.min(rows.length - 1, Math.max(0, to))],
  });
  switch (key) {
    case "ArrowDown":
      return move(row + 1);
    case "ArrowUp":
      return move(row - 1);
    case "PageDown":
      return move(row + page);
    case "PageUp":
      return move(row - page);
    case "Home":
      return move(0);
    case "End":
      return move(rows.length - 1);
    case "ArrowRight":
      if (!tree.hasChildren(m, active)) return null;
      return collapsed[active] ? { type: "toggle" } : move(row + 1);
    case "ArrowLeft":
      if (tree.hasChildren(m, active) && !collapsed[active]) return { type: "toggle" };
      return m.parent[active] >= 0 ? { type: "move", index: m.parent[active] } : null;
    case "Enter":
      return { type: "open" };
    case " ":
      return tree.hasChildren(m, active) ? { type: "toggle" } : { type: "open" };
    case "z":
      return { type: "zoom" };
    default:
      return null;
  }
}
