import { describe, expect, it } from "vitest";
import { indicator } from "../mock/objectives";
import type { Meter, ObjectiveRow } from "../src/api/types";
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

it("windowSeconds reads what the gateway writes", () => {
  expect(["30d", "1h30m", "5m", "90s", "1d12h"].map(w.windowSeconds)).toEqual([
    2592000, 5400, 300, 90, 129600,
  ]);
});

it("promiseWords leaves out what an answer leaves out", () => {
  const of = (type: string, kind?: string, threshold_ms?: number) =>
    plain(w.promiseWords({ type, kind, threshold_ms, target: 0.99, window: "30d" }));
  expect(of("availability", "server")).toBe("server requests succeed");
  expect(of("availability")).toBe("spans succeed");
  expect(of("latency", "consumer", 300)).toBe("consumed messages take at most 300 ms");
  expect(of("promql")).toBe("what Prometheus queries count is good");
});

describe("burningWords", () => {
  const meter: Meter = {
    windows: [
      { window: "5m", factor: 14.4, severity: "page" },
      { window: "1h", factor: 14.4, severity: "page" },
      { window: "6h", factor: 1, severity: "ticket" },
      { window: "3d", factor: null, severity: "" },
    ],
  };
  const of = (remaining_ratio: number | null, burn_rates: (number | null)[]) =>
    plain(w.burningWords({ remaining_ratio, burn_rates } as ObjectiveRow, meter, 2592000));
  it("is about the longest window that is over its factor", () => {
    expect(of(0.5, [40, 20, 2, 90])).toBe("Burns at 20× over 1h: the budget is spent in 18 h.");
    expect(of(0.5, [40, 2, 5, null])).toContain("over 5m");
    expect(of(0.5, [4, 2, 5, null])).toContain("over 6h");
  });
  it("does not foretell what has come", () => {
    expect(of(-3, [40, 20, 1, 1])).toBe("Burns at 20× over 1h.");
    expect(of(null, [40, 20, 1, 1])).toBe("Burns at 20× over 1h.");
  });
  it("is silent while no window is over its factor", () => expect(of(0.5, [1, null, 0.5, 99])).toBe(""));
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
