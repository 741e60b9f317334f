// @vitest-environment happy-dom
// The screens against the mock API: what is on them, and what happens when one acts.
import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { answer, type Scenario } from "../mock/api";
import { GONE, REFUSED_AGAIN, sentAgain, TAKEN } from "../mock/destinations";
import { DROPPED, NOT_KEPT, PENDING, recipes } from "../mock/traces";
import type { Trace } from "../src/api/types";
import { App } from "../src/app";
import { links, navigate } from "../src/router";

vi.mock("../src/lib/plot", () => ({
  drawChart: () => ({ destroy() {}, setSize() {} }), // there is no canvas here
  setChartData() {},
}));

let scenario: Scenario = "ok";
let asked: string[] = [];
const root = document.createElement("div");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  vi.stubGlobal("fetch", async (input: string, { method = "GET" }: RequestInit = {}) => {
    const url = new URL(input);
    asked.push((method === "GET" ? "" : `${method} `) + url.pathname + url.search);
    const segments = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
    const path = segments[0] === "api" ? segments.slice(1) : segments;
    const { status, type, body } = answer(path, url.searchParams, scenario, method);
    return new Response(JSON.stringify(body), { status, headers: { "Content-Type": type } });
  });
  scenario = "ok";
  asked = [];
  sentAgain.clear();
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(600); // there is no layout here
  document.body.append(root);
  return () => {
    act(() => render(null, root));
    vi.useRealTimers();
    vi.unstubAllGlobals();
  };
});

/** Lets time pass, then lets answers arrive and what they show ask for more. */
async function settle(ms = 0) {
  for (const wait of [ms, 20, 20, 20]) {
    await act(async () => {
      await vi.advanceTimersByTimeAsync(wait);
      for (let i = 0; i < 20; i++) await Promise.resolve();
    });
  }
}

async function open(to: string) {
  history.replaceState(null, "", to);
  act(() => render(<App />, root));
  await settle();
}

const text = (selector = "main") =>
  root.querySelector(selector)?.textContent?.replaceAll("\u202f", " ") ?? "";
const all = (selector: string) => [...root.querySelectorAll<HTMLElement>(selector)];
const button = (name: string) =>
  all("button").find(
    (b) => b.textContent?.includes(name) || b.getAttribute("aria-label") === name,
  ) as HTMLButtonElement;
const click = async (e: HTMLElement) => {
  await act(async () => e.click());
  await settle();
};
const press = async (key: string) => {
  await act(async () => {
    document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  });
  await settle();
};

describe("a reader who is no operator", () => {
  it("sees why buttons are off, once, and cannot press them", async () => {
    scenario = "looking";
    await open(links.sampling());
    expect(text()).toContain("You can look, and change nothing.");
    expect(text().split("add it to web::operators").length).toBe(2);
    for (const name of ["Reload policies", "Promote shadow", "Retry all", "Retry trace"]) {
      expect(button(name).disabled, name).toBe(true);
      expect(button(name).title).toContain("add it to web::operators");
      expect(root.querySelector(`#${button(name).getAttribute("aria-describedby")}`)?.textContent).toContain(
        "web::operators",
      );
    }
    asked = [];
    await click(button("Reload policies"));
    expect(asked.some((a) => a.startsWith("POST"))).toBe(false);
  });

  it("sees it where a trace was refused", async () => {
    scenario = "looking";
    const refused = answer(["sampling", "v1", "destinations"], new URLSearchParams(), scenario).body as {
      refused: { trace_id: string }[];
    };
    await open(links.trace(refused.refused[0].trace_id));
    expect(text()).toContain("You can look, and change nothing.");
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
      "21.4 times the sustainable rate",
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

  it("says what to configure while there are none", async () => {
    scenario = "empty";
    await open(links.objectives());
    expect(text("h1")).toBe("No objectives yet");
    expect(text("pre")).toContain("availability:");
  });

  it("keeps the last data when the gateway fails, says how old, and recovers", async () => {
    await open(links.objectives());
    scenario = "down";
    await settle(10_000);
    expect(text("[role=alert]")).toContain("The ledger cannot be read");
    expect(text("[role=alert]")).toContain("Showing what was known at");
    expect(all(".objective")).toHaveLength(10);
    scenario = "ok";
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
    expect(asked.some((a) => a.includes("/history?") && a.includes("step=60"))).toBe(true);
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
      "Of this objective, counts since 2026-01-31 12:03 UTC would not survive a crash",
    );
    expect(text()).toContain("Of this objective, counting began anew at 2026-01-31 11:40 UTC");
    await open(links.objective("checkout-availability"));
    expect(text()).not.toContain("Of this objective");
  });

  it("says so when there is none of that name", async () => {
    await open(links.objective("nope"));
    expect(text()).toContain("There is no such objective");
  });
});

describe("traces", () => {
  const rows = () => all(".results-table tbody tr");
  it("pages with More, each trace once", async () => {
    await open("#/traces?range=7d");
    expect(rows()).toHaveLength(50);
    await click(button("More"));
    await click(button("More"));
    expect(rows()).toHaveLength(recipes.length);
    expect(new Set(all(".t-id").map((x) => x.textContent)).size).toBe(recipes.length);
    expect(button("More")).toBeUndefined();
    expect(all(".dot")).toHaveLength(recipes.length);
  });

  it("searches by what the URL says, and puts what is chosen there", async () => {
    await open("#/traces?service=payment&error=true&range=7d");
    expect(asked.some((a) => a.startsWith("/api/traces/v1/search?service=payment&error=true"))).toBe(true);
    const some = rows().length;
    expect(some).toBeGreaterThan(0);
    await click(root.querySelector<HTMLElement>('input[type="checkbox"]') as HTMLElement);
    expect(location.hash).toBe("#/traces?service=payment&range=7d");
    expect(rows().length).toBeGreaterThan(some);
  });

  it("offers a way on when nothing matches", async () => {
    scenario = "empty";
    await open("#/traces?service=x&policy=errors");
    expect(text(".empty")).toContain("No kept trace matches");
    await click(button("Drop all conditions"));
    expect(location.hash).toBe("#/traces");
  });
});

describe("a trace", () => {
  const skewed = recipes.find((r) => r.kind === "skewed")?.id as string;
  const rows = () => all('[role="row"][aria-level]');
  const focused = () => Number(document.activeElement?.getAttribute("aria-rowindex"));

  it("tells what is known about it", async () => {
    await open(links.trace(skewed));
    expect(text("h1")).toBe("frontend POST /checkout");
    expect(text(".trace-head")).toContain("2 spans came after the decision");
    expect(text(".clocks")).toContain("+180 ms± 2.1 ms2bounded");
    expect(all(".band").length).toBeGreaterThan(0);
    expect(all(".ghost").length).toBeGreaterThan(0);
    await click(button("Raw"));
    expect(location.hash).toContain("times=raw");
    expect(all(".band")).toHaveLength(0);
  });

  it("says which destination refused it, and sends it again", async () => {
    await open(links.trace(TAKEN));
    expect(all(".notice")).toHaveLength(0);
    scenario = "troubled";
    await settle(10_000);
    expect(text("main .notice")).toMatch(/^otlp_http\/archive refused this trace at .*: 400 .*70121 bytes/);
    await click(button("Retry"));
    expect(asked).toContain(`POST /api/sampling/v1/refused/${TAKEN}/retry?destination=otlp_http%2Farchive`);
    expect(document.activeElement?.textContent).toContain("is sent to otlp_http/archive again.");
    expect(all("main .notice")).toHaveLength(1);
    await open(links.trace(GONE));
    expect(text("main .notice")).toMatch(/^otlp_http\/archive refused this trace at .*: 422/);
    await click(button("Retry"));
    expect(text("main .notice [role=alert]")).toContain("sent again already");
  });

  it("is walked with the keyboard", async () => {
    await open(links.trace(skewed));
    const before = Number(root.querySelector('[role="treegrid"]')?.getAttribute("aria-rowcount"));
    expect(rows().filter((r) => r.tabIndex === 0)).toHaveLength(1);
    rows()[0].focus();
    await press("ArrowDown");
    expect(focused()).toBe(3);
    await press("ArrowLeft"); // collapses
    const after = Number(root.querySelector('[role="treegrid"]')?.getAttribute("aria-rowcount"));
    expect(after).toBeLessThan(before);
    expect(document.activeElement?.getAttribute("aria-expanded")).toBe("false");
    await press("ArrowLeft"); // to the parent
    expect(focused()).toBe(2);
    await press("End");
    expect(focused()).toBe(after);
    await press("Enter");
    expect(root.querySelector(".span-panel")).not.toBeNull();
    await settle(500);
    expect(location.hash).toContain("span=");
    await press("ArrowUp"); // the panel follows
    expect(document.activeElement?.getAttribute("aria-selected")).toBe("true");
  });

  it("opens at the span of a link, with its attributes", async () => {
    await open(links.trace(skewed));
    await click(button("Next error"));
    expect(document.activeElement?.classList.contains("error")).toBe(true);
    await press("Enter");
    await settle(500);
    const there = location.hash;
    act(() => render(null, root));
    await open(there);
    expect(text(".span-panel")).toContain("error.type");
    expect(text(".span-panel")).toContain("exception");
    expect(text(".span-panel")).toContain("corrected by");
    await click(button("Close"));
    expect(root.querySelector(".span-panel")).toBeNull();
  });

  it("follows a link to another of its spans, and the way back", async () => {
    await open(links.trace(skewed));
    rows()[1].focus();
    await press("Enter");
    await settle(500);
    const first = text(".span-panel h2");
    const second = rows()[4].querySelector(".row-name")?.textContent;
    const spans = answer(["traces", "v1", "traces", skewed], new URLSearchParams(), "ok").body as Trace;
    navigate(links.trace(skewed, { span: spans.spans[4].span_id }));
    await settle();
    expect(text(".span-panel h2")).toBe(second);
    await settle(500);
    expect(location.hash).toContain(spans.spans[4].span_id);
    expect(first).not.toBe("");
  });

  it("finds spans, and marks the others", async () => {
    await open(links.trace(skewed));
    const input = root.querySelector<HTMLInputElement>(".trace-tools input") as HTMLInputElement;
    await act(async () => {
      input.value = "service.nope=1";
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
    expect(text(".stepper-match")).toBe("0 matches");
    await act(async () => {
      input.value = "error";
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
    expect(text(".stepper-match")).toMatch(/^\d+ match/);
    expect(rows().some((r) => r.classList.contains("dim"))).toBe(true);
  });

  it("keeps a large trace out of the document but for what is in sight", async () => {
    await open(links.trace(recipes.find((r) => r.spans === 5000)?.id as string));
    expect(Number(root.querySelector('[role="treegrid"]')?.getAttribute("aria-rowcount"))).toBeGreaterThan(
      5000,
    );
    expect(rows().length).toBeLessThan(100);
    rows()[0].focus();
    await press("End");
    expect(focused()).toBe(Number(root.querySelector('[role="treegrid"]')?.getAttribute("aria-rowcount")));
    await click(button("Collapse all"));
    expect(rows().length).toBeGreaterThan(1);
  });

  it("shows orphans below a placeholder", async () => {
    await open(links.trace(recipes.find((r) => r.kind === "orphans")?.id as string));
    expect(text(".warnings")).toContain("2 spans without the parent they name");
    expect(all(".row.synthetic")).toHaveLength(1);
    expect(text(".row.synthetic")).toContain("placeholder");
  });

  it("says what the gateway had to leave out or change", async () => {
    await open(links.trace(recipes.find((r) => r.kind === "orphans")?.id as string));
    expect(text(".warnings")).toContain("120 spans left out, because the trace was too large");
    expect(text(".warnings")).toContain("Text of a resource or scope was not UTF-8, and was made valid");
    const changed = rows().filter((r) => r.textContent?.includes("trimmed"));
    expect(changed).toHaveLength(2);
    expect(changed[0].textContent).toContain("text repaired");
    expect(all('[title*="2\u202fMiB were cut from it"]')).toHaveLength(2);
  });

  it("says that it was kept late, and for the link with another", async () => {
    await open(links.trace(skewed));
    expect(text(".trace-head .facts")).toContain("revived not sampled at first, but after more of it came");
    expect(root.querySelector(`.trace-head .facts a[href="${links.trace(recipes[0].id)}"]`)).not.toBeNull();
    await open(links.trace(recipes[0].id));
    expect(all(".trace-head .facts .chip")).toHaveLength(0);
  });
});

describe("sampling", () => {
  const kept = recipes[0].id;
  const rows = (section: string) => all(`section[aria-labelledby="${section}"] tbody tr`);
  const paste = async (what: string) => {
    const input = root.querySelector<HTMLInputElement>(".why-kept input") as HTMLInputElement;
    await act(async () => {
      input.focus();
      input.value = what;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await click(button("Explain"));
  };

  it("tells why a trace was kept, with the trace in the URL", async () => {
    await open(links.sampling());
    expect(all(".why-result")).toHaveLength(0);
    await paste("nothing of the kind");
    expect(text(".why-kept [role=alert]")).toContain("no trace ID");
    await paste(`00-${kept}-00f067aa0ba902b7-01`);
    expect(location.hash).toBe(`#/sampling?trace=${kept}`);
    expect(root.querySelector<HTMLInputElement>(".why-kept input")?.value).toBe(kept);
    expect(text(".verdict")).toMatch(/^Kept by \w+, standing for .*decision_wait was over\.$/);
    expect(all(".votes tbody tr").map((r) => r.querySelector("th")?.textContent)).toEqual([
      "errors",
      "slow",
      "health-checks",
      "rest",
    ]);
    expect(text(".votes .decisive")).toContain("sampled it");
    expect(text(".why-result .facts")).toContain("Policy version3");
    expect(root.querySelector(`.why-result a[href="${links.trace(kept)}"]`)).not.toBeNull();
    await click(button("Close the explanation"));
    expect(location.hash).toBe("#/sampling");
    expect(all(".why-result")).toHaveLength(0);
  });

  it("tells why a trace was not kept, and what the shadow says", async () => {
    await open(links.sampling({ trace: NOT_KEPT }));
    expect(text(".verdict")).toContain("Not kept: rest is for traces like it");
    expect(text(".votes")).toContain("did not pass the threshold");
    expect(text(".why-result")).toContain("different: kept, by fair-share");
    expect(all(".why-result a")).toHaveLength(0);
    await open(links.sampling({ trace: DROPPED }));
    expect(text(".votes")).toContain("not asked: it was dropped before");
  });

  it("says in the gateway's words that a trace is not decided yet, and asks again", async () => {
    await open(links.sampling({ trace: PENDING }));
    expect(text(".why-result")).toContain("is not decided yet: its first span came at");
    expect(all(".why-result [role=alert]")).toHaveLength(0);
    const asks = () => asked.filter((a) => a.includes("/decisions/")).length;
    const before = asks();
    await settle(3000);
    expect(asks()).toBeGreaterThan(before);
    await open(links.sampling({ trace: "0".repeat(31).concat("1") }));
    expect(text(".why-result")).toContain("it never came here");
  });

  it("comes from a trace's page", async () => {
    await open(links.trace(kept));
    const why = root.querySelector<HTMLAnchorElement>("a.why");
    expect(why?.getAttribute("href")).toBe(links.sampling({ trace: kept }));
  });

  it("shows what each policy brings, and which version decides", async () => {
    await open(links.sampling());
    expect(text("section[aria-labelledby=policies]")).toContain("Version 3, since");
    const errors = rows("policies")[0];
    expect([...errors.children].map((c) => c.textContent?.replaceAll("\u202f", " "))).toEqual([
      "errors",
      "status_code",
      "12,801",
      "12,801",
      "27 %",
      "402,113",
      "11,920",
      "209 MiB",
      "0",
    ]);
    expect(text(".figures")).toContain("582 MiB14.2 % of 4 GiB");
    expect(text(".figures")).not.toContain("Lost spans");
  });

  it("reloads the policies", async () => {
    await open(links.sampling());
    const statuses = () => asked.filter((a) => a === "/api/sampling/v1/status").length;
    const before = statuses();
    await click(button("Reload policies"));
    expect(asked).toContain("POST /api/sampling/v1/policies/reload");
    expect(text()).toContain("Read again: version 3 of the policies decides.");
    expect(statuses()).toBe(before + 1);
  });

  it("says what went wrong, each thing once", async () => {
    scenario = "troubled";
    await open(links.sampling());
    await click(button("Reload policies"));
    expect(text().split("did you mean probabilistic")).toHaveLength(2);
    expect(text()).toContain("applied by a restart only: decision_wait, disk_budget.");
    expect(text(".figures")).toContain("Lost spans31");
    expect(rows("shadow")).toHaveLength(0);
    expect(asked).not.toContain("/api/sampling/v1/shadow");
    scenario = "down";
    await click(button("Reload policies"));
    expect(text("section[aria-labelledby=policies]")).toContain("slo.db is locked");
  });

  it("shows the costliest services, and all on demand", async () => {
    await open(links.sampling());
    expect(rows("services")).toHaveLength(20);
    expect(rows("services")[0].textContent).toContain("checkout");
    await click(button("Show all 25"));
    expect(rows("services")).toHaveLength(25);
    scenario = "empty";
    await settle(10_000);
    expect(text("section[aria-labelledby=services]")).toContain("No span has come yet");
  });

  it("holds the shadow against the policies, and explains where they differ", async () => {
    await open(links.sampling());
    expect(rows("shadow")[0].textContent).toBe("the policies24,130772,300446\u202fMiB");
    expect(text("section[aria-labelledby=shadow] tbody")).toContain("change+29 %+17 %+16 %");
    const differing = all("section[aria-labelledby=shadow] a");
    expect(differing).toHaveLength(10);
    navigate(differing[0].getAttribute("href") as string);
    await settle();
    expect(text(".verdict")).toContain("Not kept");
    expect(document.activeElement?.id).toBe("why-kept");
  });

  it("leaves out the share that was kept where only spans from before the start were", async () => {
    scenario = "troubled";
    await open(links.sampling());
    expect(text("section[aria-labelledby=services]")).toContain(
      "Since the start 0 B came in, and 120 KiB were kept and passed on, some of which came before the start.",
    );
    expect(rows("services")[0].querySelector(".share-cell")?.textContent).toBe("–");
  });

  it("promotes the shadow after asking again, and tells how to make it last", async () => {
    await open(links.sampling());
    const promoted = () => asked.filter((a) => a.startsWith("POST"));
    button("Promote shadow").focus();
    await click(button("Promote shadow"));
    expect(document.activeElement).toBe(button("Cancel"));
    await click(button("Cancel"));
    expect(document.activeElement).toBe(button("Promote shadow"));
    expect(promoted()).toEqual([]);
    await click(button("Promote shadow"));
    scenario = "promoted"; // as the gateway is afterwards
    await click(button("Promote"));
    expect(promoted()).toEqual(["POST /api/sampling/v1/shadow/promote"]);
    const note = document.activeElement?.textContent;
    expect(note).toContain("Version 4 decides now.");
    expect(note).toContain("to make it last, move them");
    expect(rows("shadow")).toHaveLength(0);
    expect(text()).toContain("promoted from the shadow");
    scenario = "reverted"; // a reload brings it back, and the note is of the past
    await click(button("Reload policies"));
    expect(rows("shadow").length).toBeGreaterThan(0);
    expect(text()).toContain("Read again: version 5");
    expect(text()).not.toContain("Version 4 decides now.");
  });
});

describe("destinations", () => {
  const here = "section[aria-labelledby=destinations]";
  const rows = () => all(".destination").map((r) => r.textContent?.replaceAll("\u202f", " ") ?? "");
  const refused = () => all(".refused tbody tr");
  const retry = (trace: string) =>
    refused()
      .find((r) => r.textContent?.includes(trace.slice(0, 16)))
      ?.querySelector("button") as HTMLButtonElement;

  it("shows where kept traces go, and that nothing was refused", async () => {
    await open(links.sampling());
    expect(all(".destination h3").map((h) => h.textContent)).toEqual(["trace_store", "otlp_grpc/backend"]);
    expect(rows()[0]).toContain("in traces/sampled, as bytesDeliveringnothing waits0 traces waiting0 B");
    expect(rows()[0]).toContain(
      "Delivered48.2k tracesRefused0 tracesGiven up0 tracesLast answer: accepted, OK, at ",
    );
    expect(rows()[1]).toContain("12 traces waiting186 KiB, oldest 400 ms0.018 % of its share of 1 GiB");
    expect(text(here)).toContain("186 KiB of the delivery_budget of 2 GiB are used (0.0088 %).");
    expect(text(here)).toContain("Nothing was refused");
    expect(refused()).toHaveLength(0);
  });

  it("says so where there is none", async () => {
    scenario = "empty";
    await open(links.sampling());
    expect(text(here)).toContain("name an exporter behind tail_sampling");
    expect(text(here)).toContain("Nothing was refused");
  });

  it("tells each kind of trouble in the backend's words", async () => {
    scenario = "troubled";
    await open(links.sampling());
    const [, backend, archive, foreign] = rows();
    expect(backend).toMatch(/Refuses the gatewaysince .*, (next try in \d+ s|trying again)/);
    expect(backend).toContain(
      "1,204 traces waiting668 MiB, oldest 40 m 20 s130 % of its share of 512 MiB, the rest is lent",
    );
    expect(backend).toContain("Given up310 traces");
    expect(backend).toContain("Last answer: refuses the gateway, UNAUTHENTICATED the token has expired, at ");
    expect(archive).toContain("SlowA call has had no answer for more than 10 s.");
    expect(archive).toContain("Refused21 traces");
    expect(archive).toContain("Rejected17 spans");
    expect(archive).toContain("attribute values longer than 4096 bytes are not stored");
    expect(foreign).toContain("kafka, debug: decodedRetrying");
    expect(foreign).toContain("Wait apart1 traceRetried2 times");
    expect(all(".destination").map((d) => d.className.split(" ")[1])).toEqual([
      "is-ok",
      "is-error",
      "is-pending",
      "is-pending",
    ]);
    await settle(15_000);
    expect(text(".health")).toMatch(/^tail_sampling: otlp_grpc\/backend refuses the gateway since/);
    expect(text(".health details")).toContain("slo: no receiver is configured");
    expect(all(".health.notice-error")).toHaveLength(1);
    expect(text(".health")).not.toContain("not ready");
  });

  it("lists the refused traces, and leads to their decisions", async () => {
    scenario = "troubled";
    await open(links.sampling());
    expect(text(here)).toContain("21 refused traces");
    expect(text(here)).toContain("These are the latest 12 of 21.");
    expect(refused()).toHaveLength(10);
    await click(button("Show all 12"));
    expect(refused()).toHaveLength(12);
    await click(button("Show the latest 10"));
    expect(refused()).toHaveLength(10);
    expect(refused()[0].querySelector("q")?.textContent).toContain("the value has 70121 bytes");
    expect(refused()[2].querySelector("h1")).toBeNull();
    navigate(refused()[0].querySelector("a")?.getAttribute("href") as string);
    await settle();
    expect(location.hash).toBe(`#/sampling?trace=${TAKEN}`);
  });

  it("sends one again, and says when it is refused again", async () => {
    scenario = "troubled";
    await open(links.sampling());
    retry(TAKEN).focus();
    await click(retry(TAKEN));
    expect(asked).toContain(`POST /api/sampling/v1/refused/${TAKEN}/retry?destination=otlp_http%2Farchive`);
    expect(retry(TAKEN)).toBeUndefined();
    const note = document.activeElement as HTMLElement;
    expect(note.textContent).toContain(`${TAKEN.slice(0, 16)} is sent to otlp_http/archive again.`);
    expect(note.getAttribute("role")).toBe("status");
    expect(text(here)).toContain("20 refused traces");
    await click(retry(REFUSED_AGAIN));
    expect(document.activeElement?.textContent).toMatch(
      /^otlp_http\/archive refused the trace \w+ again: 400/,
    );
    expect(retry(REFUSED_AGAIN)).toBeDefined();
  });

  it("sends all again, those included that are not listed", async () => {
    scenario = "troubled";
    await open(links.sampling());
    await click(button("Retry all"));
    const posts = asked.filter((a) => a.startsWith("POST"));
    expect(posts).toEqual(["POST /api/sampling/v1/refused/retry"]);
    const note = () => document.activeElement?.textContent;
    expect(note()).toBe("2 refused traces are sent again. What is refused once more is listed once more.");
    expect(retry(TAKEN)).toBeUndefined();
    expect(retry(REFUSED_AGAIN)).toBeDefined();
    scenario = "down";
    await click(button("Retry all"));
    expect(text(`${here} [role=alert]`)).toContain("Not sent again: slo.db is locked");
  });

  it("says why one is not sent again", async () => {
    scenario = "troubled";
    await open(links.sampling());
    await click(retry(GONE));
    expect(text(`${here} [role=alert]`)).toContain("Not sent again: No destination refuses the trace");
    expect(retry(GONE)).toBeDefined();
    scenario = "down";
    await click(retry(TAKEN));
    expect(all(`${here} [role=alert]`).map((e) => e.textContent)).toEqual([
      expect.stringContaining("slo.db is locked"),
      expect.stringContaining("sent again already"),
    ]);
    expect(retry(TAKEN).disabled).toBe(false);
  });
});

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
    scenario = "down";
    await settle(15_000);
    expect(text(".health")).toContain("not ready to take spans. otlp: no otlp receiver has started yet");
    expect(text(".health details")).toContain("slo: no receiver is configured");
    scenario = "ok";
    await settle(15_000);
    expect(all(".health")).toHaveLength(0);
  });

  it("shows a setup that is not finished as a hint, not as an outage", async () => {
    scenario = "empty";
    await open(links.sampling());
    expect(text(".health")).toMatch(/^slo: no receiver is configured/);
    expect(all(".health.notice-hint")).toHaveLength(1);
    expect(all(".health.notice-error")).toHaveLength(0);
  });

  it("asks no more for an objective that is not there, and leads back", async () => {
    await open(links.objective("nope"));
    expect(text()).toContain("There is no such objective");
    expect(all("main a")).toHaveLength(2);
    const before = asked.filter((a) => a.includes("objectives/nope")).length;
    await settle(120_000);
    expect(asked.filter((a) => a.includes("objectives/nope"))).toHaveLength(before);
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

describe("a first contact", () => {
  it.each([links.traces(), links.sampling()])(
    "says where to send spans while none has come: %s",
    async (page) => {
      scenario = "empty";
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
    scenario = "unkept";
    await open(links.traces());
    expect(text(".empty")).toContain("20 traces came, none was kept");
    expect(text(".empty")).toContain("The policy rest keeps 1 % of ordinary traces.");
    expect(text(".empty")).toContain("2 traces wait for a decision");
    expect(all(".first-steps")).toHaveLength(0);
  });

  it("counts down to the first evaluation", async () => {
    scenario = "unkept";
    await open(links.objectives());
    expect(text()).toMatch(/Not evaluated yet\. First evaluation in \d\d s\./);
  });

  it("counts down on an objective's page, and names the services that were counted", async () => {
    scenario = "unkept";
    await open(links.objective("checkout-availability"));
    expect(text()).toMatch(/Nothing has been evaluated yet\. First evaluation in \d\d s\./);
    expect(text()).toContain("Spans of checkout have come, and none matches");
  });

  it("shows advice as advice", async () => {
    scenario = "empty";
    await open(links.objectives());
    expect(all(".health.notice-hint")).toHaveLength(1);
    expect(text(".health")).toContain("slo: no receiver is configured");
    expect(text(".health")).not.toContain("objectives are evaluated");
  });
});
