// @vitest-environment happy-dom
import { type ComponentChild, render } from "preact";
import { afterEach, describe, expect, it } from "vitest";
import type { BurnRate, Gap, Objective, Tier } from "../src/api/types";
import { BudgetBar, BudgetWords } from "../src/components/BudgetBar";
import { burnRate, percent } from "../src/lib/format";
import { Coverage } from "../src/objectives/Coverage";
import { coverageWords, interval, seenWords } from "../src/objectives/coverage";
import { TiersTable } from "../src/objectives/TiersTable";
import { objective } from "./objective";

const plain = (s: string | null | undefined) => (s ?? "").replaceAll("\u202f", " ");

const root = document.createElement("div");
document.body.append(root);
afterEach(() => render(null, root));

function shown(child: ComponentChild): HTMLElement {
  render(child, root);
  return root;
}

const whole = objective("x").coverage;
const covered = (change: Partial<Objective["coverage"]>) => ({ coverage: { ...whole, ...change } });
const gap = (from: string, to: string, reason: Gap["reason"]): Gap => ({ from, to, reason });
const down = gap("2026-11-12T12:00:00Z", "2026-11-12T13:12:00Z", "gateway_down");

function rate(window: string, low: number, high: number, share = 1): BurnRate {
  return {
    window,
    window_seconds: 3600,
    total: 100,
    bad: 1,
    error_ratio: 0.01,
    burn_rate: low,
    burn_rate_high: high,
    covered_seconds: 3600 * share,
    covered_ratio: share,
  };
}

const tier: Tier = {
  severity: "page",
  long_window: "1h",
  short_window: "5m",
  factor: 14.4,
  budget_percent: 2,
  long_burn_rate: 16,
  short_burn_rate: 20,
  active: false,
  reachable: true,
  exhaustion_seconds: 7200,
  exhausted_at: "2026-11-12T15:00:00Z",
  awaits_coverage: false,
};

describe("intervals", () => {
  it("show where they are wider than their rounding", () => {
    expect(interval(2.1, 2.1, burnRate)).toBe("2.1×");
    expect(interval(2.1, 2.1001, burnRate)).toBe("2.1×");
    expect(interval(2.1, 5.3, burnRate)).toBe("2.1×–5.3×");
    expect(interval(2.1, null, burnRate)).toBe("2.1×");
    expect(interval(null, null, burnRate)).toBe("–");
    expect(plain(interval(0.6, 0.75, percent))).toBe("60 %–75 %");
  });
  it("of a budget", () => {
    const o = objective("x");
    const doubtful = { ...o, budget: { ...o.budget, remaining_ratio_low: 0.6 } };
    expect(plain(shown(<BudgetWords objective={o} />).textContent)).toBe("80 % left");
    expect(plain(shown(<BudgetWords objective={doubtful} />).textContent)).toBe("60 %–80 % left");
    expect(shown(<BudgetBar objective={o} />).querySelector(".budget-doubt")).toBeNull();
    const doubt = shown(<BudgetBar objective={doubtful} />).querySelector<HTMLElement>(".budget-doubt");
    expect(Number.parseFloat(doubt?.style.left ?? "")).toBeCloseTo(60);
    expect(Number.parseFloat(doubt?.style.width ?? "")).toBeCloseTo(20);
    expect(plain(root.querySelector("[role=img]")?.getAttribute("aria-label"))).toContain(
      "60 %–80 % of the budget left",
    );
  });
});

describe("a young window", () => {
  const young = objective("x", covered({ young: true, seen_seconds: 120, covered_seconds: 120 }));
  it("says what was seen of it", () => {
    expect(plain(seenWords(young))).toBe("2 m of 30 d seen");
    expect(seenWords(objective("x"))).toBe("");
    expect(plain(shown(<BudgetWords objective={young} />).textContent)).toBe(
      "80 % left (young: 2 m of 30 d seen)",
    );
  });
  it("says nothing of it where that is not known", () => {
    const row = { events: { total: 1 }, budget: { remaining_ratio: 0.5, policy: "normal" as const } };
    expect(plain(shown(<BudgetWords objective={row} />).textContent)).toBe("50 % left");
  });
});

describe("coverage in a line", () => {
  const of = (change: Partial<Objective["coverage"]>) =>
    plain(coverageWords(objective("x", covered(change))));
  it("of a whole window", () => expect(of({})).toBe("Measured 30 d of 30 d."));
  it("of none", () => expect(of({ seen_seconds: 0, covered_seconds: 0 })).toBe(""));
  it("with a gap", () =>
    expect(of({ covered_seconds: 2592000 - 4320, gaps: [down], gaps_total: 1 })).toBe(
      "Measured 29 d 23 h of 30 d; not measured: 1 h 12 m on Nov 12 (gateway down).",
    ));
  it("with many", () => {
    const gaps = [down, gap("2026-11-10T12:00:00Z", "2026-11-10T12:05:00Z", "database_away"), down, down];
    expect(of({ gaps, gaps_total: 4 })).toContain(
      "not measured: 1 h 12 m on Nov 12 (gateway down), 5 m on Nov 10 (database away), 2 more.",
    );
  });
  it("without what was counted late", () =>
    expect(of({ gaps: [gap(down.from, down.to, "counted_late")], gaps_total: 1 })).toBe(
      "Measured 30 d of 30 d.",
    ));
  it("in a list, which has no gaps", () =>
    expect(of({ covered_seconds: 2592000 - 4320, gaps_total: 1 })).toBe(
      "Measured 29 d 23 h of 30 d; not measured: 1 h 12 m.",
    ));
  it("with lost spans", () =>
    expect(of({ lost_spans: 1234 })).toContain("1,234 spans were dropped by their senders or refused."));
  it("lists the gaps behind it", () => {
    const o = objective("x", covered({ gaps: [down], gaps_total: 7 }));
    const items = shown(<Coverage objective={o} />).querySelectorAll("li");
    expect(plain(items[0].textContent)).toContain("1 h 12 m, gateway down");
    expect(items[1].textContent).toBe("6 earlier ones");
    expect(shown(<Coverage objective={objective("x")} />).querySelector("li")).toBeNull();
  });
});

describe("tiers", () => {
  it("say when the budget is spent, as a time of day", () => {
    const table = shown(
      <TiersTable objective={objective("x", { tiers: [tier], burn_rates: [rate("1h", 16, 30)] })} />,
    );
    expect(table.querySelector("time")?.getAttribute("datetime")).toBe("2026-11-12T15:00:00.000Z");
    expect(table.textContent).toContain("16×–30×");
    expect(table.textContent).toContain("quiet");
  });
  it("say that too little was seen to judge by", () => {
    const waiting = { ...tier, awaits_coverage: true };
    expect(shown(<TiersTable objective={objective("x", { tiers: [waiting] })} />).textContent).toContain(
      "burning, too little seen",
    );
  });
  it("say that the budget is spent", () => {
    const spent = objective("x", { tiers: [tier] }, -0.5);
    expect(shown(<TiersTable objective={spent} />).textContent).toContain("spent");
    expect(root.querySelector("time")).toBeNull();
  });
});
