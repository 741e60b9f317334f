import { describe, expect, it } from "vitest";
import { durationError, findTraceId, rangeChoices, toQuery } from "../src/traces/query";

const now = new Date("2026-11-21T03:00:00Z");
const ID = "4bf92f3577b34da6a3ce929d0e0e4736";

describe("toQuery", () => {
  it("reads the form from the URL", () => {
    const q = toQuery(
      new URLSearchParams(
        "service=checkout&operation=POST+%2Fx&min_duration=100ms&error=true&policy=slow&range=6h",
      ),
      now,
    );
    expect(q).toMatchObject({
      service: "checkout",
      operation: "POST /x",
      min_duration: "100ms",
      error: true,
      policy: "slow",
      start: "2026-11-20T21:00:00.000Z",
      end: "2026-11-21T03:00:00.000Z",
    });
  });
  it("defaults to the last hour of everything", () => {
    const q = toQuery(new URLSearchParams(), now);
    expect(q.start).toBe("2026-11-21T02:00:00.000Z");
    expect([q.service, q.error, q.min_duration]).toEqual([undefined, undefined, undefined]);
  });
  it("does not ask with a duration that cannot be read", () => {
    expect(toQuery(new URLSearchParams("min_duration=fast&max_duration=2s"), now)).toMatchObject({
      min_duration: undefined,
      max_duration: "2s",
    });
  });
});

it("durationError says what to type", () => {
  expect(durationError("")).toBe("");
  expect(durationError("1.5s")).toBe("");
  expect(durationError("100")).toContain("100ms");
});

it("rangeChoices keeps a range that a link brought", () => {
  expect(rangeChoices("1h").map(([r]) => r)).not.toContain("45m");
  expect(rangeChoices("45m").at(-1)).toEqual(["45m", "Last 45m"]);
  expect(rangeChoices("junk")).toEqual(rangeChoices("1h"));
});

describe("findTraceId", () => {
  it.each([
    ["bare", ID],
    ["with spaces and capitals", `  ${ID.toUpperCase()} `],
    ["a traceparent", `00-${ID}-00f067aa0ba902b7-01`],
    ["with dashes", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"],
    ["a link", `https://jaeger.example/trace/${ID}?uiFind=x`],
    ["in a log line", `trace_id=${ID} level=error`],
  ])("finds it %s", (_, text) => expect(findTraceId(text)).toBe(ID));
  it("fills cut zeros", () =>
    expect(findTraceId("a3ce929d0e0e4736")).toBe(`0000000000000000a3ce929d0e0e4736`));
  it.each(["", "checkout", `${ID}ab`, "trace_id="])("finds none in %j", (text) =>
    expect(findTraceId(text)).toBeNull(),
  );
});
