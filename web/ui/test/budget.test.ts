import { describe, expect, it } from "vitest";
import type { Tier } from "../src/api/types";
import { clampedBudget, nextExhaustion, overspent } from "../src/objectives/budget";
import { fromFirstData } from "../src/objectives/range";

describe("overspent", () => {
  it.each([
    [-0.18, "18 % overspent"],
    [-9.5, "950 % overspent"],
    [-49.93, "spent 50× over"],
    [-20_000, "spent 20k× over"],
  ])("%d is %s", (left, words) =>
    expect(Object.values(overspent(left)).join("").replaceAll("\u202f", " ")).toBe(words),
  );
});

it("clampedBudget keeps gaps, and what is above the floor", () => {
  expect(clampedBudget([1, 0, -0.99, -1, -199, null])).toEqual([1, 0, -0.99, -1, -1, null]);
});

it("nextExhaustion is that of the active tiers, the soonest", () => {
  const tier = (exhaustion_seconds: number | null, active = false) =>
    ({ exhaustion_seconds, active }) as Tier;
  expect(nextExhaustion([])).toBeNull();
  expect(nextExhaustion([tier(null)])).toBeNull();
  expect(nextExhaustion([tier(9), tier(5), tier(null)])?.exhaustion_seconds).toBe(5);
  expect(nextExhaustion([tier(9, true), tier(5), tier(8, true)])?.exhaustion_seconds).toBe(8);
});

describe("fromFirstData", () => {
  const end = new Date("2026-01-31T12:00:00Z");
  const range = { start: new Date("2026-01-31T06:00:00Z"), end };
  const ago = (minutes: number, total: number) => ({
    time: new Date(end.getTime() - minutes * 60_000).toISOString(),
    total,
    bad: 0,
    error_ratio: null,
    budget_remaining_ratio: null,
    burn_rates: {},
  });
  const start = (...points: ReturnType<typeof ago>[]) =>
    (end.getTime() - fromFirstData(range, { step_seconds: 60, points }).start.getTime()) / 60_000;
  it("keeps the range where there is data for it, or none", () => {
    expect(start()).toBe(360);
    expect(start(ago(350, 1), ago(1, 1))).toBe(360);
    expect(start(ago(190, 1))).toBe(360);
    expect(start(ago(350, 0), ago(1, 0))).toBe(360);
  });
  it("begins with the first data where that is young", () => {
    expect(start(ago(350, 0), ago(100, 1), ago(99, 0))).toBe(105);
    expect(start(ago(1, 1))).toBe(15);
  });
});
