// Search within a trace.

import type { Span } from "../api/types";

/** An attribute's value on one line. */
export function valueText(v: unknown): string {
  return typeof v === "object" && v !== null ? JSON.stringify(v) : String(v);
}

/**
 * Indexes of the spans that every word of the query matches, ignoring case. A word matches a part of the span's name,
 * service, kind, status message, ID, a flag or an attribute's value; "key=value" matches the attribute whose key ends
 * in key and whose value contains value.
 */
export function searchSpans(spans: Span[], query: string): Int32Array {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found: number[] = [];
  if (words.length === 0) return new Int32Array();
  for (let i = 0; i < spans.length; i++) {
    if (words.every((w) => spanMatches(spans[i], w))) found.push(i);
  }
  return Int32Array.from(found);
}

function spanMatches(s: Span, word: string): boolean {
  const has = (text: string) => text.toLowerCase().includes(word);
  if (has(s.name) || has(s.service) || has(s.kind) || has(s.status_message) || has(s.span_id)) return true;
  if (s.status === word || s.flags.some(has)) return true;
  const eq = word.indexOf("=");
  const key = eq > 0 ? word.slice(0, eq) : "";
  const value = eq > 0 ? word.slice(eq + 1) : "";
  for (const k in s.attributes) {
    const text = valueText(s.attributes[k]);
    if (has(text)) return true;
    if (key && k.toLowerCase().endsWith(key) && text.toLowerCase().includes(value)) return true;
  }
  return s.events.some((e) => has(e.name) || Object.values(e.attributes).some((v) => has(valueText(v))));
}
