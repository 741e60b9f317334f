// @vitest-environment happy-dom

import { act } from "preact/test-utils";
import { describe, expect, it } from "vitest";
import { DROPPED, NOT_KEPT, PENDING, recipes } from "../../mock/traces";
import { links, navigate } from "../../src/router";
import { all, button, click, open, root, settle, text, world } from "./screen";

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
    expect(text(".why-kept [role=alert]")).toContain("No trace ID found");
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
    expect(text(".verdict")).toContain("Not kept: rest matched it");
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
    const asks = () => world.asked.filter((a) => a.includes("/decisions/")).length;
    const before = asks();
    await settle(3000);
    expect(asks()).toBeGreaterThan(before);
    await open(links.sampling({ trace: "0".repeat(31).concat("1") }));
    expect(text(".why-result")).toContain("it never came here");
  });

  it("names the trace for whose link one was kept", async () => {
    await open(links.sampling({ trace: recipes[2].id }));
    expect(text(".why-result .facts")).toContain(`Kept for its link with${recipes[0].id.slice(0, 16)}`);
    expect(text(".why-result .facts")).toContain("revived not kept at first, but after a late span came");
    await open(links.sampling({ trace: recipes[0].id }));
    expect(text(".why-result .facts")).not.toMatch(/link with|revived/);
  });

  it("counts the traces that were revived, could be, or were kept for a link or an objective", async () => {
    await open(links.sampling());
    expect(text("[aria-labelledby=decided]")).toContain(
      "37 traces were revived: not kept at first, but after a late span came; counted under both. " +
        "31.4k traces that were not kept can still be: the buffer holds 17.1 MiB of their spans for revive_window. " +
        "1,204 traces were kept only for a link with a kept trace. 58 traces were kept only for a bad event of an objective.",
    );
  });

  it("says so where there are none of these", async () => {
    world.scenario = "unkept";
    await open(links.sampling());
    expect(text("[aria-labelledby=decided]")).toContain(
      "No trace was revived by a late span. No trace was kept for a link alone.",
    );
    world.scenario = "empty";
    await settle(60_000);
    expect(text("[aria-labelledby=decided]")).toContain("No trace has been decided yet.");
    expect(text("[aria-labelledby=decided]")).not.toContain("revived");
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
    const statuses = () => world.asked.filter((a) => a === "/api/sampling/v1/status").length;
    const before = statuses();
    await click(button("Reload policies"));
    expect(world.asked).toContain("POST /api/sampling/v1/policies/reload");
    expect(text()).toContain("Read again: version 3 of the policies decides.");
    expect(statuses()).toBe(before + 1);
  });

  it("says what went wrong, each thing once", async () => {
    world.scenario = "troubled";
    await open(links.sampling());
    await click(button("Reload policies"));
    expect(text().split("did you mean probabilistic")).toHaveLength(2);
    expect(text()).toContain("applied by a restart only: decision_wait, disk_budget.");
    expect(text(".figures")).toContain("Lost spans31");
    expect(rows("shadow")).toHaveLength(0);
    expect(world.asked).not.toContain("/api/sampling/v1/shadow");
    world.scenario = "down";
    await click(button("Reload policies"));
    expect(text("section[aria-labelledby=policies]")).toContain("slo.db is locked");
  });

  it("shows the costliest services, and all on demand", async () => {
    await open(links.sampling());
    expect(rows("services")).toHaveLength(20);
    expect(rows("services")[0].textContent).toContain("checkout");
    await click(button("Show all 25"));
    expect(rows("services")).toHaveLength(25);
    world.scenario = "empty";
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
    world.scenario = "troubled";
    await open(links.sampling());
    expect(text("section[aria-labelledby=services]")).toContain(
      "Since the start 0 B came in, and 120 KiB were kept and passed on, some of which came before the start.",
    );
    expect(rows("services")[0].querySelector(".share-cell")?.textContent).toBe("–");
  });

  it("promotes the shadow after asking again, and tells how to make it last", async () => {
    await open(links.sampling());
    const promoted = () => world.asked.filter((a) => a.startsWith("POST"));
    button("Promote shadow").focus();
    await click(button("Promote shadow"));
    expect(document.activeElement).toBe(button("Cancel"));
    await click(button("Cancel"));
    expect(document.activeElement).toBe(button("Promote shadow"));
    expect(promoted()).toEqual([]);
    await click(button("Promote shadow"));
    world.scenario = "promoted"; // as the gateway is afterwards
    await click(button("Promote"));
    expect(promoted()).toEqual(["POST /api/sampling/v1/shadow/promote"]);
    const note = document.activeElement?.textContent;
    expect(note).toContain("Version 4 decides now.");
    expect(note).toContain("to make it last, move them");
    expect(rows("shadow")).toHaveLength(0);
    expect(text()).toContain("promoted from the shadow");
    world.scenario = "reverted"; // a reload brings it back, and the note is of the past
    await click(button("Reload policies"));
    expect(rows("shadow").length).toBeGreaterThan(0);
    expect(text()).toContain("Read again: version 5");
    expect(text()).not.toContain("Version 4 decides now.");
  });
});
