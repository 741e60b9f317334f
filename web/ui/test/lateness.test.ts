import { describe, expect, it } from "vitest";
import { durationSeconds } from "../src/lib/format";
import { clocksWords, lateWords } from "../src/objectives/Lateness";
import { objective } from "./objective";

const three = durationSeconds(10_800);

describe("events that did not count in their minute", () => {
  it("names the clocks that are behind", () => {
    const off = { behind_seconds: 10_800, since: "2026-01-31T12:00:00Z" };
    expect(clocksWords(objective("x"))).toEqual([]);
    expect(
      clocksWords(
        objective("x", {
          clocks_off: [
            { ...off, service: "checkout", processes: 1 },
            { ...off, service: "payment", processes: 2 },
          ],
        }),
      ),
    ).toEqual([
      `The clock of checkout is ${three} behind: its events count in the minute in which they arrive.`,
      `The clocks of 2 processes of payment are ${three} behind: their events count in the minute in which they arrive.`,
    ]);
  });
  it("says how many events were late", () => {
    expect(lateWords(objective("x"))).toBe("");
    expect(lateWords(objective("x", { late: { total: 100, bad: 7 }, events: { total: 1000, bad: 9 } }))).toBe(
      "100 events arrived late within the last day, 7 of them bad: they count in the budget, not in what alerts see of now.",
    );
  });
});
