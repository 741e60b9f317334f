import { beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, apiUrl, getJson, postJson, retryAfterMs } from "../src/api/client";

const base = "https://ops.example/slowburn/#/traces";

describe("apiUrl", () => {
  it("stays below the folder of the page", () => {
    expect(apiUrl("api/slo/v1/objectives", {}, base)).toBe(
      "https://ops.example/slowburn/api/slo/v1/objectives",
    );
    expect(apiUrl("api/slo/v1/objectives", {}, "http://127.0.0.1:8080/index.html#/x")).toBe(
      "http://127.0.0.1:8080/api/slo/v1/objectives",
    );
  });
  it("encodes parameters and leaves empty ones out", () => {
    const url = apiUrl("api/v1/query", { query: 'a{b="c"}[1h]', time: 0, x: "", y: null, z: false }, base);
    expect(new URL(url).searchParams.get("query")).toBe('a{b="c"}[1h]');
    expect([...new URL(url).searchParams.keys()]).toEqual(["query", "time"]);
  });
});

describe("getJson", () => {
  const answer = (body: string, init: ResponseInit = {}) =>
    vi.stubGlobal("fetch", async () => new Response(body, init));
  const failure = async (signal?: AbortSignal) => {
    const error = await getJson("api/x", {}, signal).then(
      () => null,
      (e: unknown) => e,
    );
    return error as ApiError;
  };
  beforeEach(() => {
    vi.stubGlobal("document", { baseURI: base });
    return () => vi.unstubAllGlobals();
  });

  it("returns the JSON", async () => {
    answer('{"a":1}', { headers: { "Content-Type": "application/json; charset=utf-8" } });
    expect(await getJson("api/x")).toEqual({ a: 1 });
  });

  it("posts where something is to be done", async () => {
    const asked = vi.fn(async (_url: string, _init: RequestInit) => Response.json({ version: 2 }));
    vi.stubGlobal("fetch", asked);
    expect(await postJson("api/x/reload")).toEqual({ version: 2 });
    expect(asked.mock.calls[0][0]).toBe("https://ops.example/slowburn/api/x/reload");
    expect(asked.mock.calls[0][1].method).toBe("POST");
  });

  it("reads problem+json", async () => {
    answer(
      '{"type":"about:blank","title":"No such objective","status":404,"detail":"Add it to the config."}',
      {
        status: 404,
        headers: { "Content-Type": "application/problem+json" },
      },
    );
    const e = await failure();
    expect(e).toBeInstanceOf(ApiError);
    expect([e.status, e.title, e.detail, e.permanent]).toEqual([
      404,
      "No such objective",
      "Add it to the config.",
      true,
    ]);
  });

  it("reads Prometheus' errors", async () => {
    answer('{"status":"error","errorType":"bad_data","error":"parse error"}', {
      status: 400,
      statusText: "Bad Request",
    });
    expect((await failure()).message).toBe("Bad Request: parse error");
  });

  it("makes do with a status", async () => {
    answer("<html>502</html>", { status: 502, statusText: "Bad Gateway", headers: { "Retry-After": "7" } });
    const e = await failure();
    expect([e.title, e.detail, e.retryAfter, e.permanent]).toEqual(["Bad Gateway", "", 7000, false]);
  });

  it("tells a login page from an answer", async () => {
    answer("<html>Sign in</html>", { headers: { "Content-Type": "text/html" } });
    expect((await failure()).detail).toContain("text/html");
  });

  it("tells a broken answer", async () => {
    answer('{"a":', { headers: { "Content-Type": "application/json" } });
    expect((await failure()).title).toBe("The answer broke off");
  });

  it("tells when nothing answers", async () => {
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("Failed to fetch");
    });
    const e = await failure();
    expect([e.status, e.title, e.permanent]).toEqual([0, "The gateway cannot be reached", false]);
  });

  it("passes on that it was aborted", async () => {
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
      init.signal?.throwIfAborted();
    });
    expect((await failure(AbortSignal.abort())).name).toBe("AbortError");
  });
});

it("retryAfterMs reads seconds and dates", () => {
  expect(retryAfterMs("3")).toBe(3000);
  expect(retryAfterMs("Sat, 21 Nov 2026 03:00:10 GMT", Date.parse("2026-11-21T03:00:00Z"))).toBe(10_000);
  expect(retryAfterMs("Sat, 21 Nov 2026 02:00:00 GMT", Date.parse("2026-11-21T03:00:00Z"))).toBe(0);
  expect(retryAfterMs("soon")).toBeNull();
  expect(retryAfterMs(null)).toBeNull();
});
