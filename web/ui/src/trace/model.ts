// A trace as columns. The spans stay the JSON objects that arrived; values that are read per row or per frame are
// in typed arrays, indexed like `spans` (preorder of the forest), so that 50,000 spans cost no objects.

import type { Span } from "../api/types";
import { nanosSince } from "../lib/time";

export interface Extent {
  from: number;
  to: number;
}

export interface TraceModel {
  spans: Span[];
  /** The moment that all times count from, in ns since 1970 as a decimal string. */
  base: string;
  /** ns since `base`. NaN where unknown (start 0). */
  start: Float64Array;
  end: Float64Array;
  rawStart: Float64Array;
  rawEnd: Float64Array;
  /** Half-width of the correction's interval in ns; 0 without a correction. */
  uncertainty: Float64Array;
  parent: Int32Array;
  /** The index after the span's last descendant. */
  subtreeEnd: Int32Array;
  depth: Uint32Array;
  service: Uint16Array;
  error: Uint8Array;
  /** errorsBefore[i] = errors among spans[0..i). */
  errorsBefore: Uint32Array;
  /** In order of appearance. */
  services: string[];
  corrected: Extent;
  raw: Extent;
  /** Whether any span's times were corrected. */
  hasCorrection: boolean;
}

export function buildModel(spans: Span[]): TraceModel {
  const n = spans.length;
  const m: TraceModel = {
    spans,
    base: earliest(spans),
    start: new Float64Array(n),
    end: new Float64Array(n),
    rawStart: new Float64Array(n),
    rawEnd: new Float64Array(n),
    uncertainty: new Float64Array(n),
    parent: new Int32Array(n).fill(-1),
    subtreeEnd: new Int32Array(n).fill(n),
    depth: new Uint32Array(n),
    service: new Uint16Array(n),
    error: new Uint8Array(n),
    errorsBefore: new Uint32Array(n + 1),
    services: [],
    corrected: { from: 0, to: 0 },
    raw: { from: 0, to: 0 },
    hasCorrection: false,
  };
  const serviceIndex = new Map<string, number>();
  const ancestors: number[] = []; // the path to the current span
  for (let i = 0; i < n; i++) {
    const s = spans[i];
    m.start[i] = since(s.corrected_start_unix_nano, m.base);
    m.end[i] = Math.max(m.start[i], since(s.corrected_end_unix_nano, m.base));
    m.rawStart[i] = since(s.start_unix_nano, m.base);
    m.rawEnd[i] = Math.max(m.rawStart[i], since(s.end_unix_nano, m.base));
    m.uncertainty[i] = s.uncertainty_ns === null ? 0 : Number(s.uncertainty_ns);
    if (s.corrected_start_unix_nano !== s.start_unix_nano && !s.synthetic) m.hasCorrection = true;
    m.depth[i] = s.depth;
    m.error[i] = s.status === "error" ? 1 : 0;
    m.errorsBefore[i + 1] = m.errorsBefore[i] + m.error[i];
    let service = serviceIndex.get(s.service);
    if (service === undefined) {
      service = m.services.length;
      serviceIndex.set(s.service, service);
      m.services.push(s.service);
    }
    m.service[i] = service;
    while (ancestors.length > 0 && m.depth[ancestors[ancestors.length - 1]] >= s.depth) {
      m.subtreeEnd[ancestors.pop() as number] = i;
    }
    m.parent[i] = ancestors.length > 0 ? ancestors[ancestors.length - 1] : -1;
    ancestors.push(i);
  }
  m.corrected = extent(m.start, m.end);
  m.raw = extent(m.rawStart, m.rawEnd);
  return m;
}

/** The earliest corrected start: zero, which an exporter sends for "unknown", does not count. */
function earliest(spans: Span[]): string {
  let base = "0";
  for (const { corrected_start_unix_nano: t } of spans) {
    if (isUnknown(t)) continue;
    if (base === "0" || nanosSince(t, base) < 0) base = t;
  }
  return base;
}

function isUnknown(t: string): boolean {
  return t === "0" || t === "";
}

function since(t: string, base: string): number {
  return isUnknown(t) ? Number.NaN : nanosSince(t, base);
}

function extent(start: Float64Array, end: Float64Array): Extent {
  let from = Infinity;
  let to = -Infinity;
  for (let i = 0; i < start.length; i++) {
    if (start[i] < from) from = start[i]; // false for NaN
    if (end[i] > to) to = end[i];
    else if (start[i] > to) to = start[i];
  }
  return from <= to ? { from, to: to === from ? from + 1 : to } : { from: 0, to: 1 };
}

/** Indexes of the spans that are not inside a collapsed one, in order. */
export function visibleRows(m: TraceModel, collapsed: Uint8Array): Int32Array {
  const rows = new Int32Array(m.spans.length);
  let n = 0;
  for (let i = 0; i < m.spans.length; i = collapsed[i] ? m.subtreeEnd[i] : i + 1) rows[n++] = i;
  return rows.subarray(0, n);
}

/** The row of a span or, if it is hidden, of the collapsed ancestor that hides it. -1 in an empty trace. */
export function rowOf(rows: Int32Array, index: number): number {
  let lo = 0;
  let hi = rows.length - 1;
  while (lo < hi) {
    const mid = (lo + hi + 1) >> 1;
    if (rows[mid] <= index) lo = mid;
    else hi = mid - 1;
  }
  return rows.length === 0 ? -1 : lo;
}

/** The rows of `height` pixels that a viewport touches, with `overscan` more on both sides: [first, last). */
export function windowOf(
  scrollTop: number,
  viewport: number,
  height: number,
  total: number,
  overscan = 8,
): [number, number] {
  const first = Math.floor(scrollTop / height) - overscan;
  const last = Math.ceil((scrollTop + viewport) / height) + overscan;
  return [Math.max(0, Math.min(first, total)), Math.max(0, Math.min(last, total))];
}

export function hasChildren(m: TraceModel, i: number): boolean {
  return m.subtreeEnd[i] > i + 1;
}

/** The number of errors among the span's descendants, which a collapsed row hides. */
export function errorsBelow(m: TraceModel, i: number): number {
  return m.errorsBefore[m.subtreeEnd[i]] - m.errorsBefore[i + 1];
}

/** A copy with all ancestors of `index` expanded. */
export function reveal(m: TraceModel, collapsed: Uint8Array, index: number): Uint8Array {
  const next = collapsed.slice();
  for (let p = m.parent[index]; p >= 0; p = m.parent[p]) next[p] = 0;
  return next;
}

/** A copy in which one span is toggled. */
export function toggled(m: TraceModel, collapsed: Uint8Array, index: number): Uint8Array {
  const next = collapsed.slice();
  if (hasChildren(m, index)) next[index] = next[index] ? 0 : 1;
  return next;
}

/** Everything below the roots collapsed. */
export function collapseAll(m: TraceModel): Uint8Array {
  return Uint8Array.from(m.depth, (depth, i) => (depth > 0 && hasChildren(m, i) ? 1 : 0));
}

/** All spans are collapsed but the ancestors of errors. */
export function collapseWithoutErrors(m: TraceModel): Uint8Array {
  return Uint8Array.from(m.depth, (_, i) => (hasChildren(m, i) && errorsBelow(m, i) === 0 ? 1 : 0));
}

/** The next (or previous) of the sorted `indexes` after `from`, wrapping round; -1 when there is none. */
export function step(indexes: Int32Array, from: number, direction: 1 | -1): number {
  if (indexes.length === 0) return -1;
  if (direction > 0) return indexes.find((i) => i > from) ?? indexes[0];
  return indexes.findLast((i) => i < from) ?? indexes[indexes.length - 1];
}

export function errorIndexes(m: TraceModel): Int32Array {
  const found: number[] = [];
  for (let i = 0; i < m.error.length; i++) if (m.error[i]) found.push(i);
  return Int32Array.from(found);
}
