// The mock API: serves the contract of api/ to `npm run dev` and `npm run preview`, with the shop's data.
// GET /mock/scenario/{ok|empty|down|slow} switches what it answers, to see the empty and the failed screens.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connect, Plugin } from "vite";
import { breakdown, history, objectives } from "./objectives.ts";
import { alerts, deliveries, sampling } from "./others.ts";
import { recipes, search, services, trace } from "./traces.ts";

/** What the gateway sends with the dashboard; the preview proves that the build lives with it. */
const POLICY =
  "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'";

type Scenario = "ok" | "empty" | "down" | "slow";

export function mockApi(): Plugin {
  let scenario: Scenario = "ok";
  const handle: Connect.NextHandleFunction = (req, res, next) => {
    const url = new URL(req.url ?? "/", "http://mock");
    const path = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
    if (path[0] === "mock") {
      scenario = path[2] as Scenario;
      return json(res, 200, { scenario });
    }
    if (path[0] !== "api") return next();
    if (scenario === "down")
      return problem(
        res,
        503,
        "The ledger cannot be read",
        "slo.db is locked by another process: stop it, or give this gateway a directory of its own.",
      );
    const send = () => respond(req, res, path.slice(1), url.searchParams, scenario);
    if (scenario === "slow") setTimeout(send, 4000);
    else send();
  };
  return {
    name: "mock-api",
    configureServer: (server) => void server.middlewares.use(handle),
    configurePreviewServer: (server) => {
      server.middlewares.use((_req, res, next) => {
        res.setHeader("Content-Security-Policy", POLICY);
        next();
      });
      server.middlewares.use(handle);
    },
  };
}

function respond(
  _req: IncomingMessage,
  res: ServerResponse,
  path: string[],
  q: URLSearchParams,
  scenario: Scenario,
) {
  const empty = scenario === "empty";
  const [area, , noun, id, sub] = path;
  switch (`${area}/${noun ?? path[1]}${id ? "/:id" : ""}${sub ? `/${sub}` : ""}`) {
    case "slo/objectives":
      return json(res, 200, {
        evaluated_until: new Date(Math.floor(Date.now() / 60000) * 60000).toISOString(),
        objectives: empty ? [] : objectives(),
      });
    case "slo/objectives/:id": {
      const o = objectives().find((x) => x.name === id);
      return o
        ? json(res, 200, o)
        : problem(res, 404, "No such objective", `The config has no objective named ${id}.`);
    }
    case "slo/objectives/:id/history": {
      const h = history(
        id,
        Date.parse(q.get("start") ?? "") / 1000,
        Date.parse(q.get("end") ?? "") / 1000,
        Number(q.get("step")),
      );
      return h
        ? json(res, 200, empty ? { ...h, points: [] } : h)
        : problem(res, 404, "No such objective", "");
    }
    case "traces/services":
      return json(res, 200, empty ? { services: null } : services());
    case "traces/search":
      return json(res, 200, empty ? { traces: null, next_cursor: "" } : search(q));
    case "traces/traces/:id": {
      const recipe = recipes.find((x) => x.id === id);
      return recipe
        ? json(res, 200, trace(recipe))
        : problem(res, 404, "No such trace", "It was not kept, or it was kept and has expired since.");
    }
    case "sampling/status":
      return json(res, 200, sampling());
    case "alerts/alerts":
      return json(res, 200, { alerts: empty ? [] : alerts() });
    case "alerts/deliveries":
      return json(res, 200, { deliveries: empty ? [] : deliveries() });
    case "v1/query":
      return json(res, 200, breakdown(q.get("query") ?? ""));
    default:
      return problem(res, 404, "Not Found", `The mock API has no ${path.join("/")}.`);
  }
}

function json(res: ServerResponse, status: number, body: unknown, type = "application/json") {
  res.statusCode = status;
  res.setHeader("Content-Type", type);
  res.end(JSON.stringify(body));
}

function problem(res: ServerResponse, status: number, title: string, detail: string) {
  json(res, status, { type: "about:blank", title, status, detail }, "application/problem+json");
}
