import { describe, expect, it } from "vitest";
import { indicator } from "../mock/objectives";
import type { Tier } from "../src/api/types";
import * as w from "../src/objectives/words";
import { objective } from "./objective";

const plain = (s: string) => s.replaceAll("\u202f", " ");

describe("promise", () => {
  it("of availability", () => {
    const o = objective("x", {
      indicator: indicator({ type: "availability", kind: "server", operations: ["POST /checkout"] }),
    });
    expect(plain(w.promise(o))).toBe(
      "99.9 % of checkout’s server requests for POST /checkout succeed over 30 d.",
    );
  });
  it("of latency, with operations and attributes", () => {
    const slow = indicator({
      type: "latency",
      kind: "consumer",
      threshold_ms: 1500,
      operations: ["a", "b", "c"],
      attributes: { "x.y": "1", z: "2" },
    });
    expect(plain(w.promise(objective("x", { indicator: slow, target: 0.95, window_seconds: 604800 })))).toBe(
      "95 % of checkout’s consumed messages for a, b or c where x.y = 1 and z = 2 take at most 1.5 s over 7 d.",
    );
  });
  it("of queries, without a service", () => {
    const o = objective("x", { service: "", indicator: indicator({ type: "promql" }) });
    expect(plain(w.promise(o))).toBe("99.9 % of events are good over 30 d.");
  });
});

it("allowance speaks of outage and events", () => {
  expect(plain(w.allowance(objective("x")))).toBe(
    "Up to 0.1 % may fail: as much as 43 m 12 s of full outage, or 1,000 of the 1M server requests seen.",
  );
  expect(plain(w.allowance(objective("x", { events: { total: 0, bad: 0 } })))).toBe(
    "Up to 0.1 % may fail: as much as 43 m 12 s of full outage.",
  );
});

describe("factorOf", () => {
  const tier = (
    severity: Tier["severity"],
    long_window: string,
    short_window: string,
    factor: number,
  ): Tier => ({
    severity,
    long_window,
    short_window,
    factor,
    budget_percent: 2,
    long_burn_rate: null,
    short_burn_rate: null,
    active: false,
    reachable: true,
    exhaustion_seconds: null,
  });
  const tiers = [
    tier("ticket", "3d", "6h", 1),
    tier("ticket", "1d", "2h", 3),
    tier("page", "6h", "30m", 6),
    tier("page", "1h", "5m", 14.4),
  ];
  it.each([
    ["5m", 14.4],
    ["30m", 6],
    ["1h", 14.4],
    ["6h", 6],
    ["2h", 3],
    ["3d", 1],
  ])("%s is held against %d", (window, factor) => expect(w.factorOf(tiers, window)?.factor).toBe(factor));
  it("leaves out tiers that cannot fire", () => {
    const unreachable = tiers.map((t) => ({ ...t, reachable: t.severity !== "page" }));
    expect(w.factorOf(unreachable, "6h")?.factor).toBe(1);
    expect(w.factorOf(unreachable, "5m")).toBeNull();
  });
  it("has none for a window that no tier uses", () => expect(w.factorOf(tiers, "30d")).toBeNull());
  it("lists the windows that an objective's own tiers look at", () => {
    const rates = ["6h", "5m", "30m", "1h", "3d"].map((window, i) => ({
      window,
      window_seconds: [21600, 300, 1800, 3600, 259200][i],
      total: 1,
      bad: 0,
      error_ratio: 0,
      burn_rate: 0,
    }));
    const of = (some: Tier[]) => w.listWindows(objective("x", { tiers: some, burn_rates: rates }));
    expect(of(tiers)).toEqual(["5m", "1h", "6h", "3d"]);
    const firing = tiers.map((t) => ({ ...t, active: t.long_window === "6h" }));
    expect(of(firing)).toEqual(["5m", "30m", "1h", "6h"]);
    expect(of([])).toEqual(["5m", "1h", "6h", "3d"]);
    expect(of([tier("page", "30m", "5m", 7), tier("ticket", "6h", "30m", 6)])).toEqual(["5m", "30m", "6h"]);
  });
  it("says a tier in words", () =>
    expect(plain(w.tierWords(tiers[3]))).toBe("Page when 2 % of the budget would go in 1h"));
});

describe("indicators that count no single events", () => {
  const cases: [string, Parameters<typeof indicator>[0], string, string][] = [
    [
      "slices",
      {
        type: "availability",
        kind: "server",
        operations: ["POST /checkout"],
        unit: "slices",
        slice_seconds: 300,
        slice_target: 0.995,
      },
      "99.9 % of 5 m slices are good over 30 d: at least 99.5 % of checkout’s server requests for POST /checkout succeed in each.",
      "Up to 0.1 % may be bad: as much as 43 m 12 s of full outage, or 1,000 of the 1M slices seen.",
    ],
    [
      "throughput",
      { type: "throughput", kind: "consumer", unit: "minutes", minimum_per_minute: 3000 },
      "99.9 % of minutes are good over 30 d: each has at least 3,000 of checkout’s consumed messages.",
      "Up to 0.1 % may be bad: as much as 43 m 12 s of full outage, or 1,000 of the 1M minutes seen.",
    ],
    [
      "freshness",
      { type: "freshness", unit: "minutes" },
      "99.9 % of minutes are good over 30 d: checkout’s spans come as usual at that hour of the week.",
      "Up to 0.1 % may be bad: as much as 43 m 12 s of full outage, or 1,000 of the 1M minutes seen.",
    ],
    [
      "an error ratio",
      { type: "promql", unit: "minutes", unit_parts: 1_000_000, ratio_query: "avg(x)" },
      "99.9 % of minutes are good over 30 d, each in part: but for the error ratio that a Prometheus query gives.",
      "Up to 0.1 % may be bad: as much as 43 m 12 s of full outage, or 0.001 of the 1 minutes seen.",
    ],
    [
      "a composite",
      { type: "composite", unit: "events", components: { search: 1, pay: 2, ads: 1 } },
      "99.9 % of events are good over 30 d: those of pay (times 2), ads and search.",
      "Up to 0.1 % may be bad: as much as 43 m 12 s of full outage, or 1,000 of the 1M events seen.",
    ],
  ];
  for (const [name, said, promise, allowance] of cases)
    it(name, () => {
      const o = objective("x", { indicator: indicator(said) });
      expect(plain(w.promise(o))).toBe(promise);
      expect(plain(w.allowance(o))).toBe(allowance);
    });
});
