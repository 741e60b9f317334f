// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { GONE, REFUSED_AGAIN, TAKEN } from "../../mock/destinations";
import { links, navigate } from "../../src/router";
import { all, button, click, open, settle, text, world } from "./screen";

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
    world.scenario = "empty";
    await open(links.sampling());
    expect(text(here)).toContain("name an exporter behind tail_sampling");
    expect(text(here)).toContain("Nothing was refused");
  });

  it("tells each kind of trouble in the backend's words", async () => {
    world.scenario = "troubled";
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
    world.scenario = "troubled";
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
    world.scenario = "troubled";
    await open(links.sampling());
    retry(TAKEN).focus();
    await click(retry(TAKEN));
    expect(world.asked).toContain(
      `POST /api/sampling/v1/refused/${TAKEN}/retry?destination=otlp_http%2Farchive`,
    );
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
    world.scenario = "troubled";
    await open(links.sampling());
    await click(button("Retry all"));
    const posts = world.asked.filter((a) => a.startsWith("POST"));
    expect(posts).toEqual(["POST /api/sampling/v1/refused/retry"]);
    const note = () => document.activeElement?.textContent;
    expect(note()).toBe("2 refused traces are sent again. Traces that are refused again are listed again.");
    expect(retry(TAKEN)).toBeUndefined();
    expect(retry(REFUSED_AGAIN)).toBeDefined();
    world.scenario = "down";
    await click(button("Retry all"));
    expect(text(`${here} [role=alert]`)).toContain("Not sent again: slo.db is locked");
  });

  it("says why one is not sent again", async () => {
    world.scenario = "troubled";
    await open(links.sampling());
    await click(retry(GONE));
    expect(text(`${here} [role=alert]`)).toContain("Not sent again: No destination refuses the trace");
    expect(retry(GONE)).toBeDefined();
    world.scenario = "down";
    await click(retry(TAKEN));
    expect(all(`${here} [role=alert]`).map((e) => e.textContent)).toEqual([
      expect.stringContaining("slo.db is locked"),
      expect.stringContaining("sent again already"),
    ]);
    expect(retry(TAKEN).disabled).toBe(false);
  });
});
