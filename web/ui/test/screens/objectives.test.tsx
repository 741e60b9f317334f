// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { links, navigate } from "../../src/router";
import { all, button, click, open, root, settle, text, world } from "./screen";

describe("objectives", () => {
  it("lists the most urgent first, and counts", async () => {
    await open(links.objectives());
    expect(text("h1")).toBe(
      "1 paging, 1 ticket firing, 1 pending, 1 not evaluated, 1 low on budget, 4 healthy, 1 without data",
    );
    expect(all(".objective h2").map((h) => h.textContent)).toEqual([
      "checkout-availability",
      "checkout-latency",
      "payment-availability",
      "warehouse-freshness",
      "search-latency",
      "recommendations-availability",
      "catalog-availability",
      "ingress-5xx",
      "orders-consumer-availability",
      "gift-cards-availability",
    ]);
    expect(document.title).toBe("(2) Objectives · slowburn");
    const first = all(".objective")[0].textContent?.replaceAll("\u202f", " ");
    for (const part of [
      "99.9 %",
      "17 % left",
      "Cautious",
      "38.2×",
      "14.4×",
      "Burns at 21.4× over 1h: the budget is spent in",
    ]) {
      expect(first).toContain(part);
    }
  });

  it("filters, with the filter in the URL", async () => {
    await open(links.objectives());
    await click(button("Ticket"));
    expect(location.hash).toBe("#/?state=ticket");
    expect(all(".objective")).toHaveLength(1);
    await click(button("Ticket"));
    expect(all(".objective")).toHaveLength(10);
  });

  it("shows traces with a bad event before the charts", async () => {
    await open(links.objective("checkout-availability"));
    const rows = all(".bad-traces li");
    expect(rows).toHaveLength(3);
    const link = rows[0].querySelector("a")?.getAttribute("href") ?? "";
    expect(link).toMatch(/^#\/traces\/[0-9a-f]{32}\?span=[0-9a-f]{16}$/);
    expect(rows[0].textContent).toContain("503");
    expect(world.asked).toContain("/api/slo/v1/objectives/checkout-availability/traces");
  });

  it("filters by what was typed, by service and by label, and finds back", async () => {
    await open(`${links.objectives()}?label=team%3Dshop&label=tier%3D1`);
    expect(all(".objective")).toHaveLength(1);
    expect(world.asked.some((a) => a.endsWith("?label=team%3Dshop&label=tier%3D1"))).toBe(true);
    await open(`${links.objectives()}?q=nothing+like+it&after=0`);
    expect(text(".empty h2")).toBe("No objective matches");
    await click(button("Show all 10"));
    expect(location.hash).toBe("#/");
    expect(all(".objective")).toHaveLength(10);
    await open(`${links.objectives()}?service=search`);
    expect(all(".objective h2").map((h) => h.textContent)).toEqual(["search-latency"]);
    await click(button("service search"));
    expect(all(".objective")).toHaveLength(10);
  });

  it("has pages, with the place in the URL", async () => {
    world.many = 250;
    await open(links.objectives());
    expect(all(".objective")).toHaveLength(100);
    expect(text(".pages")).toContain("100 of 250 objectives");
    const next = all(".pages a")[0].getAttribute("href") ?? "";
    expect(next).toBe("#/?after=100");
    await open("#/?after=200&state=ok");
    expect(text(".pages")).toContain("of 250 objectives");
    expect(all(".objective")).toHaveLength(50);
    expect(all(".pages a").map((a) => a.getAttribute("href"))).toEqual(["#/?state=ok"]);
    await open("#/?after=900");
    expect(text(".empty h2")).toBe("There is no further page");
    await click(button("Go to the first page"));
    expect(all(".objective")).toHaveLength(100);
  });

  it("says what to configure while there are none", async () => {
    world.scenario = "empty";
    await open(links.objectives());
    expect(text("h1")).toBe("No objectives yet");
    expect(text("pre")).toContain("availability:");
  });

  it("keeps the last data when the gateway fails, says how old, and recovers", async () => {
    await open(links.objectives());
    world.scenario = "down";
    await settle(10_000);
    expect(text("[role=alert]")).toContain("The ledger cannot be read");
    expect(text("[role=alert]")).toContain("Showing the data of");
    expect(all(".objective")).toHaveLength(10);
    world.scenario = "ok";
    await click(button("Try now"));
    expect(all("[role=alert]")).toHaveLength(0);
  });
});

describe("an objective", () => {
  it("explains itself", async () => {
    await open(links.objective("checkout-availability"));
    expect(text(".promise")).toBe(
      "99.9 % of checkout’s server requests for POST /checkout succeed over 30 d.",
    );
    expect(text(".banner")).toContain("Page firing since");
    expect(text(".figure-budget")).toContain("deploy slower, with extra review");
    expect(all(".tiers tbody tr").map((r) => r.classList.contains("is-page"))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(text(".breakdown")).toContain("java.net.SocketTimeoutException");
    expect(all(".chart")).toHaveLength(4);
    expect(world.asked.some((a) => a.includes("/history?") && a.includes("step=60"))).toBe(true);
  });

  it("says what burns, since when, how long it lasts and what burned it before the charts", async () => {
    await open(links.objective("checkout-availability"));
    const parts = [".promise", ".banner", ".figures", ".breakdown", ".charts", ".tiers"];
    const places = parts.map((p) => [...root.querySelectorAll("*")].indexOf(all(p)[0]));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(text(".figures")).toContain("Time left5 h 43 mat 21.4×, as in the last 1h");
  });

  it("clamps the chart of a budget that is far overspent, with the figure beside it", async () => {
    await open(links.objective("search-latency"));
    expect(all(".chart-aside")).toHaveLength(0);
    world.overspent = 199;
    await open(links.objective("checkout-availability"));
    await settle(30_000);
    expect(text(".chart-aside")).toContain("−19,900 % now, below the chart");
    expect(text(".chart")).toContain("last ≤ −100 %");
  });

  it("says what burned the budget since the alert began, or in the range that is chosen", async () => {
    await open(links.objective("checkout-availability"));
    const section = () => text("section[aria-labelledby=breakdown]");
    expect(section()).toMatch(
      /Version 2\.41\.0: [\d.]+ % of its events are bad, 97 % of all bad events since \d\d:/,
    );
    expect(section()).toContain("since the burn began that the alert is about");
    expect(section()).toContain("others");
    expect(all(".breakdown table")).toHaveLength(4);
    expect(world.asked.filter((a) => a.includes("/breakdown?")).every((a) => !a.includes("start="))).toBe(
      true,
    );

    await open(links.objective("checkout-availability", { range: "6h" }));
    expect(section()).toMatch(/97 % of all bad events from .* to/);
    expect(section()).toContain("Show what burned it since the alert began");
    expect(world.asked.at(-1)).toContain("start=");

    await open(links.objective("ingress-5xx"));
    expect(section()).toContain("leave no labels");
    expect(all(".breakdown table")).toHaveLength(0);
  });

  it("leads to the failed, or the slow, traces of the range", async () => {
    await open(links.objective("checkout-availability", { range: "1h" }));
    const failed = all("a").find((a) => a.textContent?.startsWith("Traces with errors through checkout"));
    expect(failed?.getAttribute("href")).toBe(
      "#/traces?service=checkout&operation=POST+%2Fcheckout&error=true&range=1h",
    );
    navigate(links.objective("checkout-latency"));
    await settle();
    const slow = all("a").find((a) => a.textContent?.startsWith("Traces of 300"));
    expect(slow?.getAttribute("href")).toContain("min_duration=300ms");
  });

  it("has neither figures nor a breakdown where there is nothing to count", async () => {
    await open(links.objective("warehouse-freshness"));
    expect(text()).toContain("parse error");
    expect(all(".breakdown")).toHaveLength(0);
    await open(links.objective("gift-cards-availability"));
    expect(text(".figure-budget")).toContain("no events");
  });

  it("says that counts would not survive, and what was lost of them", async () => {
    await open(links.objective("checkout-latency"));
    expect(text(".notice-error")).toContain(
      "For this objective, counts since 2026-01-31 12:03 UTC would not survive a crash",
    );
    expect(text()).toContain("For this objective, counting began anew at 2026-01-31 11:40 UTC");
    await open(links.objective("checkout-availability"));
    expect(text()).not.toContain("For this objective");
  });

  it("says so when there is none of that name", async () => {
    await open(links.objective("nope"));
    expect(text()).toContain("There is no such objective");
  });
});

describe("a first contact", () => {
  it.each([links.traces(), links.sampling()])(
    "says where to send spans while none has come: %s",
    async (page) => {
      world.scenario = "empty";
      await open(page);
      expect(text()).toContain("No span has come yet");
      const [http, grpc] = all(".first-steps code").map((e) => e.textContent);
      expect(http).toBe(
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
      );
      expect(grpc).toBe(
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc",
      );
    },
  );

  it("says what came and why none of it was kept", async () => {
    world.scenario = "unkept";
    await open(links.traces());
    expect(text(".empty")).toContain("20 traces came, none was kept");
    expect(text(".empty")).toContain("The policy rest keeps 1 % of ordinary traces.");
    expect(text(".empty")).toContain("2 traces wait for a decision");
    expect(all(".first-steps")).toHaveLength(0);
  });

  it("counts down to the first evaluation", async () => {
    world.scenario = "unkept";
    await open(links.objectives());
    expect(text()).toMatch(/Not evaluated yet\. First evaluation in \d\d s\./);
  });

  it("counts down on an objective's page, and names the services that were counted", async () => {
    world.scenario = "unkept";
    await open(links.objective("checkout-availability"));
    expect(text()).toMatch(/Nothing has been evaluated yet\. First evaluation in \d\d s\./);
    expect(text()).toContain("Spans of checkout have come, and none matches");
  });

  it("shows advice as advice", async () => {
    world.scenario = "empty";
    await open(links.objectives());
    expect(all(".health.notice-hint")).toHaveLength(1);
    expect(text(".health")).toContain("slo: no receiver is configured");
    expect(text(".health")).not.toContain("objectives are evaluated");
  });
});
