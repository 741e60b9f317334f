import { describe, expect, it } from "vitest";
import * as t from "../src/lib/time";

const now = new Date(2026, 10, 21, 3, 4, 5);

describe("parseDuration", () => {
  it.each([
    ["100ms", 0.1],
    ["1.5s", 1.5],
    ["1h30m", 5400],
    ["30d", 2592000],
    ["250us", 0.00025],
    ["250µs", 0.00025],
    [" 2m ", 120],
  ])("%s", (text, seconds) => expect(t.parseDuration(text)).toBeCloseTo(seconds, 12));

  it.each(["", "100", "ms", "1 h", "-5s", "5x", "1h-3m"])("refuses %j", (text) =>
    expect(t.parseDuration(text)).toBeNull(),
  );
});

describe("moment", () => {
  it("leaves out the date of today, and the year of this year", () => {
    expect(t.moment(new Date(2026, 10, 21, 0, 35, 22), now)).toBe("00:35:22");
    expect(t.moment(new Date(2026, 10, 20, 18, 2, 22), now)).toBe("Nov 20, 18:02:22");
    expect(t.moment(new Date(2025, 0, 2, 3, 4, 5), now)).toBe("Jan 2 2025, 03:04:05");
    expect(t.moment(new Date(2026, 10, 21, 0, 0, 1, 7), now, true)).toBe("00:00:01.007");
    expect(t.moment("nonsense", now)).toBe("–");
  });
});

describe("age", () => {
  it.each([
    [0, "now"],
    [12, "12 s"],
    [89, "89 s"],
    [90, "2 min"],
    [19 * 60, "19 min"],
    [7 * 3600, "7 h"],
    [3 * 86400, "3 d"],
  ])("%d s ago is %s", (s, text) => expect(t.age(new Date(now.getTime() - s * 1000), now)).toBe(text));

  it.each([
    [0, "just now"],
    [12, "12 s ago"],
  ])("in a sentence: %d s are %s", (s, text) =>
    expect(t.ago(new Date(now.getTime() - s * 1000), now)).toBe(text),
  );

  it("does not go below zero when clocks differ", () =>
    expect(t.age(new Date(now.getTime() + 5000), now)).toBe("now"));
});

describe("resolveRange", () => {
  const resolve = (query: string) => t.resolveRange(new URLSearchParams(query), "1h", now);
  it("takes an absolute range", () => {
    const r = resolve("start=2026-01-01T00:00:00Z&end=2026-01-01T06:00:00Z");
    expect(t.rangeSeconds(r)).toBe(21600);
  });
  it("takes a length that ends now", () => {
    expect(resolve("range=6h").end).toEqual(now);
    expect(t.rangeSeconds(resolve("range=6h"))).toBe(21600);
  });
  it.each(["", "range=soon", "start=x&end=y", "start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z"])(
    "falls back for %j",
    (q) => expect(t.rangeSeconds(resolve(q))).toBe(3600),
  );
});

it("stepFor keeps a graph below the points asked for, in whole minutes", () => {
  expect(t.stepFor(3600)).toBe(60);
  expect(t.stepFor(21600)).toBe(60);
  expect(t.stepFor(86400)).toBe(300);
  expect(t.stepFor(2592000)).toBe(7200);
  for (let s = 60; s < 400 * 86400; s = Math.ceil(s * 1.7)) {
    expect(s / t.stepFor(s)).toBeLessThanOrEqual(360);
    expect(t.stepFor(s) % 60).toBe(0);
  }
});

describe("nanoseconds", () => {
  it("are exact where a number would round", () => {
    expect(t.nanosSince("1763686532123456789", "1763686532123456788")).toBe(1);
    expect(t.nanosSince("1763686533000000001", "1763686532999999999")).toBe(2);
    expect(t.nanosSince("1763686532000000000", "1763686533500000000")).toBe(-1_500_000_000);
    expect(t.nanosSince("7", "0")).toBe(7);
  });
  it("agree with integer arithmetic", () => {
    for (let i = 0; i < 500; i++) {
      const base = 1763686532123456789n + BigInt(i) * 987654321987n;
      const d = (BigInt(i) - 250n) * 123456789011n;
      expect(BigInt(t.nanosSince(String(base + d), String(base)))).toBe(d);
    }
  });
  it("become dates", () => expect(t.nanosToDate("1763686532123456789").getTime()).toBe(1763686532123));
});

describe("niceTicks", () => {
  it("are round and inside", () => {
    expect(t.niceTicks(0, 81.3, 6)).toEqual([0, 20, 40, 60, 80]);
    expect(t.niceTicks(-95, 105, 5)).toEqual([-50, 0, 50, 100]);
    expect(t.niceTicks(5, 5, 6)).toEqual([5]);
  });
  it("stay few", () => {
    for (let e = -3; e < 18; e++) {
      for (const m of [1, 1.3, 2.2, 4.9, 7])
        expect(t.niceTicks(0, m * 10 ** e, 6).length).toBeLessThanOrEqual(7);
    }
  });
});

it("a datetime-local value reads back as the same second", () => {
  expect(new Date(t.toLocalInput(now)).getTime()).toBe(now.getTime());
});
