import { describe, expect, it } from "vitest";
import type { VectorSample } from "../src/api/types";
import { badEventsQuery, shares } from "../src/objectives/breakdown-query";
import { rangeOptions, shownRange } from "../src/objectives/range";
import { objective } from "./objective";

it("badEventsQuery quotes the name and covers the range", () => {
  expect(badEventsQuery('a"b\\c', "reason", 3600)).toBe(
    String.raw`sum by (reason) (increase(slowburn_sli_bad_events_total{objective="a\"b\\c"}[3600s])) > 0`,
  );
  expect(badEventsQuery("x", "reason", 5)).toContain("[60s]");
  expect(badEventsQuery("each:a%2Fb:c", "reason", 60)).toContain('{objective="each",service_name="a/b:c"}');
});

it("shares are largest first and sum to one", () => {
  const sample = (reason: string, n: string): VectorSample => {
    const metric: Record<string, string> = reason ? { reason } : {};
    return { metric, value: [0, n] };
  };
  const rows = shares([sample("a", "1"), sample("", "3"), sample("b", "0")], "reason");
  expect(rows).toEqual([
    { name: "(none)", n: 3, share: 0.75 },
    { name: "a", n: 1, share: 0.25 },
  ]);
  expect(shares([], "reason")).toEqual([]);
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
