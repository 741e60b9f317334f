import { describe, expect, it } from "vitest";
import { decision } from "../mock/decisions";
import { cost, shadow, status } from "../mock/sampling";
import { DROPPED, NOT_KEPT, recipes } from "../mock/traces";
import type { Decision, Shadow } from "../src/api/types";
import {
  byBytesIn,
  change,
  keptShare,
  nextTry,
  outcome,
  overShare,
  realSampled,
  serviceName,
  shadowSentence,
  verdictSentence,
  waiting,
  whatItTakes,
  whenFull,
} from "../src/sampling/words";

const known = (id: string) => decision(id) as Decision;
const dropped = known(DROPPED);
const notKept = known(NOT_KEPT);
const kept = known(recipes[0].id);
const sentence = (d: Decision) => verdictSentence(d).join("");

it("waiting tells what waits for what", () => {
  const s = { ...status("ok"), spans_buffered: 50, traces_pending: 1 };
  expect(waiting({ ...s, traces_undelivered: 0 })).toBe(
    "50 spans buffered: 1 trace waiting for the rest of their spans.",
  );
  expect(waiting({ ...s, traces_undelivered: 3 })).toBe(
    "50 spans buffered: 1 trace waiting for the rest of their spans, 3 kept traces waiting for a destination.",
  );
});

describe("verdictSentence", () => {
  const due = "its decision was due because decision_wait was over.";
  it.each<[Partial<Decision>, string]>([
    [{ policy: "rest", adjusted_count: 20 }, `Kept by rest, standing for 20 traces like it; ${due}`],
    [{ policy: "errors", adjusted_count: 1 }, `Kept by errors, standing for itself only; ${due}`],
    [
      { policy: "rate", adjusted_count: undefined },
      `Kept by rate, how many traces it stands for is unknown; ${due}`,
    ],
    [
      { policy: "all", composite_policy: "slow", adjusted_count: 1.25 },
      `Kept by all (its sub-policy slow), standing for 1.25 traces like it; ${due}`,
    ],
  ])("of a trace that was kept: %j", (d, want) => expect(sentence({ ...kept, ...d })).toBe(want));

  it("names the policy apart, so that it can be set off", () =>
    expect(verdictSentence({ ...kept, policy: "rest" })[1]).toBe("rest"));
  it("of one that was dropped", () => expect(sentence(dropped)).toMatch(/^Dropped by health-checks; .*root/));
  it("of one that was not kept says what it lacked", () => {
    expect(sentence(notKept)).toBe(`Not kept: rest matched it, but it did not pass the threshold; ${due}`);
    const votes = notKept.votes.map((v) => ({ ...v, matched: false }));
    expect(sentence({ ...notKept, votes })).toBe(`Not kept: no policy matched it; ${due}`);
    expect(sentence({ ...notKept, votes: [] })).toBe(`Not kept: no policy sampled it; ${due}`);
  });
});

describe("outcome", () => {
  const outcomes = (d: Decision) => d.votes.map((v) => outcome(d, v).join(", "));
  it("of a trace that no policy sampled", () => {
    const no = "no, did not match";
    expect(outcomes(notKept)).toEqual([no, no, no, "yes, did not pass the threshold"]);
  });
  it("of one that is dropped: the other policies are not asked, but for drops before it", () => {
    const again = { name: "robots", type: "drop", matched: false, acted: false };
    const d = { ...dropped, votes: [{ ...again, name: "first" }, ...dropped.votes, again] };
    const late = "–, not asked: it was dropped before";
    expect(outcomes(d)).toEqual(["no, did not match", late, late, "yes, dropped it", late, late]);
  });
  it("of one that is kept", () => {
    const votes = kept.votes.map((v) => ({ ...v, matched: true, acted: v.type === "latency" }));
    expect(outcomes({ ...kept, votes })[1]).toBe("yes, sampled it");
  });
});

it("shadowSentence holds the shadow against what was done", () => {
  expect(shadowSentence(notKept)).toBe("different: kept, by fair-share");
  expect(shadowSentence({ ...notKept, shadow: { verdict: "not_sampled" } })).toBe("the same: not kept");
  expect(shadowSentence({ ...notKept, shadow: undefined })).toBe("");
});

it("realSampled is what the policies kept of what the shadow was asked about", () => {
  const of = (traces: number) => ({ traces, spans: traces * 10, bytes: traces * 1000 });
  const s = { ...(shadow("ok") as Shadow), sampled: of(50), only_shadow: of(20), only_real: of(5) };
  expect(realSampled(s)).toEqual(of(35)); // 30 that both keep, and 5
});

it("change is undefined without something to compare with", () => {
  expect(change(50, 75)).toBe(0.5);
  expect(change(50, 0)).toBe(-1);
  expect(change(0, 7)).toBeNull();
});

describe("services", () => {
  const one = (service: string, bytes_in: number, bytes_kept: number) => ({
    service,
    spans_in: 1,
    bytes_in,
    spans_kept: 1,
    bytes_kept,
  });
  it("come by their bytes, then by name", () => {
    const before = [one("b", 1, 0), one("c", 9, 0), one("a", 1, 0)];
    expect(byBytesIn(before).map((s) => s.service)).toEqual(["c", "a", "b"]);
    expect(before[0].service).toBe("b");
  });
  it("have a share from 0 to 1", () => {
    expect(keptShare(one("x", 100, 25))).toBe(0.25);
    expect(keptShare(one("x", 10, 10))).toBe(1);
  });
  it("have no share where that means nothing", () => {
    expect(keptShare(one("x", 0, 0))).toBeNull();
    expect(keptShare(one("x", 0, 7))).toBeNull();
    expect(keptShare(one("x", 10, 11))).toBeNull();
  });
  it("beyond the first thousand are named together", () =>
    expect(cost("ok").services.map(serviceName)).toContain("all others"));
});

describe("destinations", () => {
  const now = new Date("2026-01-31T12:00:00Z");
  it.each([
    [null, ""],
    ["2026-01-31T12:00:08Z", "next try in 8\u202fs"],
    ["2026-01-31T12:00:07.2Z", "next try in 8\u202fs"],
    ["2026-01-31T12:00:00Z", "trying again"],
    ["2026-01-31T11:59:00Z", "trying again"],
  ])("with a try due at %s", (retry_at, want) => expect(nextTry({ retry_at }, now)).toBe(want));

  it.each([
    [
      { destination: "otlp_grpc/a", pipeline: "traces", bytes: true, exporters: ["otlp_grpc/a"] },
      "in traces, as bytes",
    ],
    [
      { destination: "traces", pipeline: "traces", bytes: false, exporters: ["kafka", "debug"] },
      "kafka, debug: decoded",
    ],
    [{ destination: "decoded", pipeline: "traces", bytes: false, exporters: [] }, "in traces, decoded"],
  ])("%j", (d, want) => expect(whatItTakes(d)).toBe(want));

  it.each([
    [0, 0, false, "–"],
    [0, 1024, false, "0 % of its share of 1 KiB"],
    [0.5, 1024, true, "50 % of its share of 1 KiB"],
    [1, 1024, false, "100 % of its share of 1 KiB"],
    [1.3, 1024, false, "130 % of its share of 1 KiB, the rest is lent"],
    [1.87, 1024, true, "187 % of its share of 1 KiB, over the budget"],
  ])("with %d of its share of %d bytes, the budget exceeded: %s", (share, of, over, want) =>
    expect(overShare(share, of, over).replaceAll("\u202f", " ")).toBe(want),
  );

  it("say what happens when the budget is full", () => {
    expect(whenFull({ when_full: "give_up" })).toContain("gives up its oldest traces");
    expect(whenFull({ when_full: "refuse" })).toContain("new spans are refused");
  });
});

describe("rules", () => {
  const vote = (name: string, matched: boolean, acted: boolean) => ({ name, type: "rule", matched, acted });
  const ruled = {
    ...notKept,
    votes: [vote("errors", false, false), vote("rest", true, false), vote("last", false, false)],
  };
  it("name the one that decided", () =>
    expect(sentence(ruled)).toMatch(/^Not kept: the rule rest decided, and does not sample it; /));
  it("say that none did", () =>
    expect(sentence({ ...ruled, votes: [vote("errors", false, false)] })).toMatch(
      /^Not kept: no rule matched it/,
    ));
  it("are not asked after the one that decided", () =>
    expect(ruled.votes.map((v) => outcome(ruled, v)[1])).toEqual([
      "did not match",
      "decided, and did not sample it",
      "not asked: a rule before it decided",
    ]));
});
