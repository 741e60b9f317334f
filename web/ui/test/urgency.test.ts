import { describe, expect, it } from "vitest";
import { overview } from "../mock/overview";
import { headline, standing } from "../src/objectives/urgency";
import { alert, objective } from "./objective";

const inOrder = [
  objective("page", alert("firing", "page"), 0.9),
  objective("ticket-spent", alert("firing", "ticket"), -0.2),
  objective("ticket", alert("firing", "ticket"), 0.4),
  objective("pending-page", alert("pending", "page"), 0.7),
  objective("pending-ticket", alert("pending", "ticket"), 0.1),
  objective("broken", { state: "error" }, null),
  objective("overspent", {}, -0.5),
  objective("low", {}, 0.06),
  objective("stopped", { state: "no_data" }, 0.9),
  objective("resolved", alert("resolved", "page"), 0.3),
  objective("a-fine", {}, 0.9),
  objective("b-fine", {}, 0.9),
  objective("unknown-budget", {}, null),
  objective("silent", { state: "no_data" }, null),
];

it("is not healthy on less than a tenth of the budget", () => {
  expect(standing(objective("x", {}, 0.1))).toBe("ok");
  expect(standing(objective("x", {}, 0.099))).toBe("low");
  expect(standing(objective("x", {}, 0))).toBe("low");
  expect(standing(objective("x", {}, -0.01))).toBe("overspent");
  expect(standing(objective("x", { state: "error" }, -1))).toBe("error");
});

it("an alert outranks the state of the data", () => {
  expect(standing(objective("x", { state: "no_data", ...alert("firing", "page") }))).toBe("page");
  expect(standing(objective("x", { state: "no_data", ...alert("resolved", "page") }))).toBe("no_data");
});

const tally = (objectives: typeof inOrder) =>
  overview({ evaluated_until: null, next_evaluation_at: null }, objectives, new URLSearchParams()).by_urgency;

describe("headline", () => {
  const words = (names: string[]) =>
    headline(tally(inOrder.filter((o) => names.includes(o.name))))
      .map((p) => p.text)
      .join(", ");
  it("says the worst first", () => {
    expect(words(["page", "ticket", "ticket-spent", "broken", "low"])).toBe(
      "1 paging, 2 tickets firing, 1 not evaluated, 1 low on budget",
    );
    expect(words(["overspent", "low", "a-fine"])).toBe("1 budget overspent, 1 low on budget, 1 healthy");
    expect(words(["pending-page"])).toBe("1 pending");
  });
  it("is calm when all is well", () => {
    expect(words(["a-fine", "b-fine"])).toBe("All 2 are healthy");
    expect(words(["a-fine"])).toBe("The objective is healthy");
    expect(words(["silent"])).toBe("No data");
    expect(words(["a-fine", "b-fine", "stopped", "silent"])).toBe("All 2 are healthy, 2 without data");
  });
});
