// @vitest-environment happy-dom

import { render } from "preact";
import { act } from "preact/test-utils";
import { describe, expect, it } from "vitest";
import { answer } from "../../mock/api";
import { GONE, TAKEN } from "../../mock/destinations";
import { recipes } from "../../mock/traces";
import type { Trace } from "../../src/api/types";
import { links, navigate } from "../../src/router";
import { all, button, click, open, press, root, settle, text, world } from "./screen";

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
    world.scenario = "troubled";
    await settle(10_000);
    expect(text("main .notice")).toMatch(/^otlp_http\/archive refused this trace at .*: 400 .*70121 bytes/);
    await click(button("Retry"));
    expect(world.asked).toContain(
      `POST /api/sampling/v1/refused/${TAKEN}/retry?destination=otlp_http%2Farchive`,
    );
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
    expect(text(".trace-head .facts")).toContain("revived not kept at first, but after a late span came");
    expect(root.querySelector(`.trace-head .facts a[href="${links.trace(recipes[0].id)}"]`)).not.toBeNull();
    await open(links.trace(recipes[0].id));
    expect(all(".trace-head .facts .chip")).toHaveLength(0);
  });
});
