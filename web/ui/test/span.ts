// Spans for tests, as an outline: two spaces per level, "service name start-end", with ! for an error.

import type { Span } from "../src/api/types";

const BASE = 1763686532_000000000n;

export const nano = (offset: number) => String(BASE + BigInt(offset));

export function span(change: Partial<Span> = {}): Span {
  return {
    span_id: "0000000000000001",
    parent_id: "",
    name: "GET /",
    service: "web",
    kind: "server",
    status: "unset",
    status_message: "",
    depth: 0,
    children: 0,
    synthetic: false,
    start_unix_nano: nano(0),
    end_unix_nano: nano(100),
    corrected_start_unix_nano: nano(0),
    corrected_end_unix_nano: nano(100),
    uncertainty_ns: null,
    duration_ns: "100",
    flags: [],
    scope: { name: "", version: "" },
    attributes: {},
    resource: 0,
    events: [],
    links: [],
    ...change,
  };
}

export function outline(text: string): Span[] {
  const lines = text.split("\n").filter((l) => l.trim());
  const margin = Math.min(...lines.map((l) => l.search(/\S/)));
  return lines.map((line, i) => {
    const depth = (line.search(/\S/) - margin) / 2;
    const [service, name, times] = line.trim().split(/\s+/);
    const [start, end] = times.replace("!", "").split("-").map(Number);
    return span({
      span_id: (i + 1).toString(16).padStart(16, "0"),
      service,
      name,
      depth,
      status: times.endsWith("!") ? "error" : "unset",
      start_unix_nano: nano(start),
      end_unix_nano: nano(end),
      corrected_start_unix_nano: nano(start),
      corrected_end_unix_nano: nano(end),
      duration_ns: String(end - start),
    });
  });
}
