// The peculiarities of a span, in words: findings of the reconstruction, and changes by delivery.

import type { Span } from "../api/types";
import { bytes } from "../lib/format";

const MEANING: Record<string, string> = {
  orphan: "The span it names as its parent is not in the trace",
  duplicate: "It came more than once, with different content",
  cycle: "Its parents led back to itself; the tree was cut here",
  own_parent: "It names itself as its parent",
  unfinished: "It has no end time",
  inverted: "It ends before it starts",
  merged: "It came twice with the same identity and was merged",
  shared_id: "Its ID is shared by another span, as client and server do in Zipkin",
  no_start: "It has no start time; its parent's is shown",
  far_future: "Its start lies far in the future; its parent's is shown",
  link_to_self_or_ancestor: "It links to itself or to a span above it",
  late: "It came after the trace was decided",
  residual: "It started before its parent by more than clocks explain, and was shifted",
};

export interface Badge {
  text: string;
  meaning: string;
}

/** The badges of a span: "placeholder" for a synthetic one, then its flags. */
export function badges(s: Span): Badge[] {
  const flags = s.flags ?? [];
  const all = flags.map((f) => ({
    text: f.replaceAll("_", " "),
    meaning: MEANING[f] ?? f.replaceAll("_", " "),
  }));
  const cut = s.attributes["slowburn.span.trimmed"];
  if (cut !== undefined)
    all.push({
      text: "trimmed",
      meaning: `It was larger than a request may be: ${bytes(Number(cut))} were cut from it`,
    });
  if (s.attributes["slowburn.text.repaired"] === true)
    all.push({ text: "text repaired", meaning: "It had text that was not UTF-8, which was made valid" });
  if (s.synthetic)
    all.unshift({
      text: "placeholder",
      meaning: "Stands for a span that others name as their parent and that never came",
    });
  return all;
}
