// The screens against the mock API, for tests: the app is opened at a route, and asks the mock API in the scenario of `world`.
import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, vi } from "vitest";
import { answer, type Scenario } from "../../mock/api";
import { sentAgain } from "../../mock/destinations";
import { overview } from "../../mock/overview";
import { App } from "../../src/app";
import { objective } from "../objective";

vi.mock("../../src/lib/plot", () => ({
  CHART_HEIGHT: 200,
  drawChart: () => ({ destroy() {}, setSize() {} }), // there is no canvas here
  setChartData() {},
}));

/** The scenario of the gateway's answers, and the requests that it got. */
export const world = { scenario: "ok" as Scenario, asked: [] as string[], many: 0, overspent: 0 };

export const root = document.createElement("div");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  vi.stubGlobal("fetch", async (input: string, { method = "GET" }: RequestInit = {}) => {
    const url = new URL(input);
    world.asked.push((method === "GET" ? "" : `${method} `) + url.pathname + url.search);
    const segments = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
    const path = segments[0] === "api" ? segments.slice(1) : segments;
    if (world.many && path.at(-1) === "overview") return Response.json(manyRows(url.searchParams));
    if (world.overspent && path.at(-1) === "history") {
      const point = { time: new Date().toISOString(), total: 9, bad: 9, error_ratio: 1, burn_rates: {} };
      const points = [{ ...point, budget_remaining_ratio: -world.overspent }];
      return Response.json({ step_seconds: 60, points });
    }
    const { status, type, body } = answer(path, url.searchParams, world.scenario, method);
    return new Response(JSON.stringify(body), { status, headers: { "Content-Type": type } });
  });
  world.scenario = "ok";
  world.asked = [];
  world.many = 0;
  world.overspent = 0;
  sentAgain.clear();
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(600); // there is no layout here
  document.body.append(root);
  return () => {
    act(() => render(null, root));
    vi.useRealTimers();
    vi.unstubAllGlobals();
  };
});

/** The overview of `world.many` healthy objectives. */
function manyRows(q: URLSearchParams) {
  const all = Array.from({ length: world.many }, (_, i) => objective(`objective-${1000 + i}`));
  return overview({ evaluated_until: null, next_evaluation_at: null }, all, q);
}

/** Lets time pass, then lets answers arrive, and the requests that follow from them. */
export async function settle(ms = 0) {
  for (const wait of [ms, 20, 20, 20]) {
    await act(async () => {
      await vi.advanceTimersByTimeAsync(wait);
      for (let i = 0; i < 20; i++) await Promise.resolve();
    });
  }
}

export async function open(to: string) {
  history.replaceState(null, "", to);
  act(() => render(<App />, root));
  await settle();
}

export const text = (selector = "main") =>
  root.querySelector(selector)?.textContent?.replaceAll("\u202f", " ") ?? "";
export const all = (selector: string) => [...root.querySelectorAll<HTMLElement>(selector)];
export const button = (name: string) =>
  all("button").find(
    (b) => b.textContent?.includes(name) || b.getAttribute("aria-label") === name,
  ) as HTMLButtonElement;
export const click = async (e: HTMLElement) => {
  await act(async () => e.click());
  await settle();
};
export const press = async (key: string) => {
  await act(async () => {
    document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  });
  await settle();
};
