// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import { answer } from "../../mock/api";
import { links, navigate } from "../../src/router";
import { all, button, click, open, root, settle, text, world } from "./screen";

describe("the frame", () => {
  it("moves the focus to the heading after a navigation", async () => {
    await open(links.objectives());
    navigate(links.sampling());
    await settle();
    expect(document.activeElement).toBe(root.querySelector("h1"));
    expect(document.title).toBe("Sampling · slowburn");
    expect(root.querySelector("nav [aria-current]")?.textContent).toBe("Sampling");
    expect(text()).toContain("health-checks");
  });

  it("says what fires on every screen", async () => {
    await open(links.alerts());
    expect(text("nav .badge")).toBe("2 firing");
    expect(text("main")).toContain("Given up");
    expect(text("main")).toContain("the integration key was revoked");
  });

  it("says on every screen what of the gateway is not well", async () => {
    await open(links.sampling());
    expect(all(".health")).toHaveLength(0);
    world.scenario = "down";
    await settle(15_000);
    expect(text(".health")).toContain("not ready to take spans. otlp: no otlp receiver has started yet");
    expect(text(".health details")).toContain("slo: no receiver is configured");
    world.scenario = "ok";
    await settle(15_000);
    expect(all(".health")).toHaveLength(0);
  });

  it("shows a setup that is not finished as a hint, not as an outage", async () => {
    world.scenario = "empty";
    await open(links.sampling());
    expect(text(".health")).toMatch(/^slo: no receiver is configured/);
    expect(all(".health.notice-hint")).toHaveLength(1);
    expect(all(".health.notice-error")).toHaveLength(0);
  });

  it("asks no more for an objective that is not there, and leads back", async () => {
    await open(links.objective("nope"));
    expect(text()).toContain("There is no such objective");
    expect(all("main a")).toHaveLength(2);
    const before = world.asked.filter((a) => a.includes("objectives/nope")).length;
    await settle(120_000);
    expect(world.asked.filter((a) => a.includes("objectives/nope"))).toHaveLength(before);
  });

  it("names the services there are to an objective without events", async () => {
    await open(links.objective("gift-cards-availability"));
    expect(text()).toContain("No events yet");
    expect(text()).toContain("Spans of gift-cards have come, and none matches: check the kind");
    expect(text()).not.toContain("100 % left");
  });

  it("remembers the theme", async () => {
    await open(links.objectives());
    const theme = () => [document.documentElement.dataset.theme, localStorage.getItem("slowburn.theme")];
    await click(root.querySelector(".theme") as HTMLElement);
    expect(theme()).toEqual(["light", "light"]);
    await click(root.querySelector(".theme") as HTMLElement);
    expect(theme()).toEqual(["dark", "dark"]);
    await click(root.querySelector(".theme") as HTMLElement);
    expect(theme()).toEqual([undefined, null]);
  });

  it("has a page for what is not there", async () => {
    await open("#/what/is");
    expect(text("h1")).toBe("There is no such page");
  });
});

describe("a reader who is no operator", () => {
  it("sees why buttons are off, once, and cannot press them", async () => {
    world.scenario = "looking";
    await open(links.sampling());
    expect(text()).toContain("You can look, but not change anything.");
    expect(text().split("add it to web::operators").length).toBe(2);
    for (const name of ["Reload policies", "Promote shadow", "Retry all", "Retry trace"]) {
      expect(button(name).disabled, name).toBe(true);
      expect(button(name).title).toContain("add it to web::operators");
      expect(root.querySelector(`#${button(name).getAttribute("aria-describedby")}`)?.textContent).toContain(
        "web::operators",
      );
    }
    world.asked = [];
    await click(button("Reload policies"));
    expect(world.asked.some((a) => a.startsWith("POST"))).toBe(false);
  });

  it("sees it where a trace was refused", async () => {
    world.scenario = "looking";
    const refused = answer(["sampling", "v1", "destinations"], new URLSearchParams(), world.scenario)
      .body as {
      refused: { trace_id: string }[];
    };
    await open(links.trace(refused.refused[0].trace_id));
    expect(text()).toContain("You can look, but not change anything.");
    expect(button("Retry").disabled).toBe(true);
  });

  it("leaves buttons alone for an operator, and where nobody says who reads", async () => {
    await open(links.sampling());
    expect(text()).not.toContain("You can look");
    expect(button("Reload policies").disabled).toBe(false);
    expect(button("Reload policies").title).toBe("");
    vi.stubGlobal("fetch", async (input: string) =>
      input.includes("access/v1/me")
        ? new Response("", { status: 404 })
        : new Response("{}", { status: 500 }),
    );
    await settle(60_000);
    expect(text()).not.toContain("You can look");
  });
});
