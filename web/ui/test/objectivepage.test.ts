import { describe, expect, it } from "vitest";
import type { Breakdown, Dimension, Events } from "../src/api/types";
import { findings, nameless, perMinute, uncoveredWords, valueText } from "../src/objectives/breakdown-words";
import { rangeOptions, shownRange } from "../src/objectives/range";
import { objective } from "./objective";

/** A breakdown by one dimension: value, events, bad events. */
function breakdown(by: Dimension, rows: [string, number, number][], events?: Events): Breakdown {
  const sum =
    events ?? rows.reduce((e, [, total, bad]) => ({ total: e.total + total, bad: e.bad + bad }), ZERO);
  const ratio = (n: number, of: number) => (of > 0 ? n / of : null);
  return {
    start: "2026-11-21T14:02:00Z",
    end: "2026-11-21T14:32:00Z",
    basis: "alert",
    by: [by],
    events: sum,
    error_ratio: ratio(sum.bad, sum.total),
    rows: rows.map(([value, total, bad]) => ({
      values: { [by]: value },
      events: { total, bad },
      error_ratio: ratio(bad, total),
      total_per_minute: total / 30,
      bad_per_minute: bad / 30,
      bad_share: ratio(bad, sum.bad),
      total_share: ratio(total, sum.total),
    })),
    omitted_rows: 0,
    omitted: ZERO,
    other: ZERO,
    uncovered: ZERO,
  };
}

const ZERO: Events = { total: 0, bad: 0 };
const plain = (s: string) => s.replaceAll("\u202f", " ");

describe("a breakdown", () => {
  it("names the version that stands out, with its rate and its share", () => {
    const b = breakdown("version", [
      ["1.9.1", 1000, 124],
      ["1.9.0", 9000, 4],
    ]);
    expect(findings([b]).map(plain)).toEqual([
      "Version 1.9.1: 12.4 % of its events are bad, 96.9 % of all bad events",
    ]);
  });

  it.each<[string, [string, number, number][]]>([
    ["the only version", [["1.9.0", 9000, 400]]],
    [
      "one with as much of all events",
      [
        ["1.9.0", 9000, 900],
        ["1.8.0", 1000, 100],
      ],
    ],
    [
      "one of several",
      [
        ["a", 100, 40],
        ["b", 100, 35],
        ["c", 900, 25],
      ],
    ],
    ["others", [["__other__", 100, 90]]],
    ["one without a name", [["", 100, 90]]],
    ["one without bad events", [["1.9.0", 100, 0]]],
    ["none", []],
  ])("does not name %s", (_, rows) => {
    expect(findings([breakdown("version", rows)])).toEqual([]);
  });

  it("names a reason by its share alone", () => {
    const all = { total: 1000, bad: 100 };
    const b = breakdown(
      "reason",
      [
        ["503", 1000, 90],
        ["500", 1000, 10],
      ],
      all,
    );
    expect(findings([b]).map(plain)).toEqual(["Reason 503: 90 % of all bad events"]);
  });

  it("says what it does not cover", () => {
    const b = breakdown("version", [["1", 100, 5]]);
    expect(uncoveredWords(b)).toBe("");
    expect(uncoveredWords({ ...b, uncovered: { total: 40, bad: 3 } })).toContain(
      "The parts of 3 of the 5 bad events, and of 40 of all events, were not kept",
    );
  });

  it("knows a query that leaves no labels", () => {
    expect(nameless([breakdown("version", [["", 9, 1]]), breakdown("reason", [["", 9, 1]])])).toBe(true);
    expect(nameless([breakdown("version", [["", 9, 1]]), breakdown("service", [["a", 9, 1]])])).toBe(false);
  });

  it("writes rates and values for people", () => {
    expect([0, 0.123, 36.4, 12345].map(perMinute)).toEqual(["0", "0.12/min", "36/min", "12.3k/min"]);
    expect(["__other__", "", "1.9.1"].map(valueText)).toEqual(["others", "(none)", "1.9.1"]);
  });
});

describe("range", () => {
  const now = new Date("2026-11-21T03:04:37Z");
  it("offers the objective's own window last, once", () => {
    expect(rangeOptions(objective("x")).map(([r]) => r)).toEqual(["1h", "6h", "1d", "3d", "30d"]);
    expect(rangeOptions(objective("x", { window: "1d" })).map(([r]) => r)).toEqual(["1h", "6h", "3d", "1d"]);
  });
  it("lies on whole steps", () => {
    const r = shownRange(new URLSearchParams("range=1d"), now);
    expect(r.step).toBe(300);
    expect(r.end.toISOString()).toBe("2026-11-21T03:00:00.000Z");
    expect(r.start.toISOString()).toBe("2026-11-20T03:00:00.000Z");
  });
});
