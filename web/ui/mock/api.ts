// Answers the contract of api/ with the shop's data, for the development server and the tests of the screens.

import { decision, undecided } from "./decisions.ts";
import { destinations, retry, retryAll } from "./destinations.ts";
import { breakdown, history, objectives, unevaluated } from "./objectives.ts";
import { alerts, caller, deliveries, readiness } from "./others.ts";
import { overview } from "./overview.ts";
import { cost, NOTE, policies, RELOAD_ERROR, shadow, status } from "./sampling.ts";
import { badTraces, recipes, search, services, trace } from "./traces.ts";

/**
 * ok: a busy shop; empty: a gateway that knows nothing yet; down: its ledger cannot be read; troubled: sampling has
 * trouble of every kind; looking: a destination refuses, and the reader is no operator; unkept: a gateway that has just started, to which 20 traces came; promoted: what is ok, after its shadow was promoted; reverted: after a reload then.
 */
export const SCENARIOS = [
  "ok",
  "empty",
  "unkept",
  "down",
  "troubled",
  "promoted",
  "reverted",
  "looking",
] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface Answer {
  status: number;
  type: string;
  body: unknown;
}

const ok = (body: unknown): Answer => ({ status: 200, type: "application/json", body });

const problem = (status: number, title: string, detail: string): Answer => ({
  status,
  type: "application/problem+json",
  body: { type: "about:blank", title, status, detail },
});

/** Answers for a path below api/, in segments; readyz is the one that is not below it. */
export function answer(path: string[], q: URLSearchParams, scenario: Scenario, method = "GET"): Answer {
  if (path[0] === "readyz") {
    return { ...ok(readiness(scenario)), status: scenario === "down" ? 503 : 200 };
  }
  if (scenario === "down") {
    const detail =
      "slo.db is locked by another process: stop it, or give this gateway a directory of its own.";
    return problem(503, "The ledger cannot be read", detail);
  }
  if (path.join("/") === "access/v1/me") return ok(caller(scenario));
  if (scenario === "looking") {
    if (method !== "GET") return problem(403, "Forbidden", caller(scenario).why);
    return answer(path, q, path.includes("destinations") ? "troubled" : "ok");
  }
  const empty = scenario === "empty" || scenario === "unkept";
  const [area, version, noun = version, id, sub] = path;
  switch ([area, noun, id && ":id", sub].filter(Boolean).join("/")) {
    case "slo/overview":
    case "slo/objectives": {
      const times = {
        evaluated_until: scenario === "unkept" ? null : wholeMinute(),
        next_evaluation_at: new Date(Date.now() + 40_000).toISOString(),
      };
      const all = scenario === "unkept" ? unevaluated() : empty ? [] : objectives();
      if (noun === "overview") return ok(overview(times, all, q));
      return ok({ ...times, total: all.length, matched: all.length, objectives: all, next_cursor: "" });
    }
    case "slo/objectives/:id": {
      const found = (scenario === "unkept" ? unevaluated() : objectives()).find((x) => x.name === id);
      return found
        ? ok(found)
        : problem(404, "No such objective", `The config has no objective named ${id}.`);
    }
    case "slo/objectives/:id/history": {
      const seconds = (key: string) => Date.parse(q.get(key) ?? "") / 1000;
      const h = history(id, seconds("start"), seconds("end"), Number(q.get("step")));
      return h ? ok(empty ? { ...h, points: [] } : h) : problem(404, "No such objective", "");
    }
    case "slo/objectives/:id/traces": {
      const found = objectives().find((x) => x.name === id);
      if (!found) return problem(404, "No such objective", "");
      return ok({ traces: empty || found.indicator.type === "promql" ? [] : badTraces(q) });
    }
    case "slo/objectives/:id/breakdown": {
      const found = (scenario === "unkept" ? unevaluated() : objectives()).find((x) => x.name === id);
      return found ? ok(breakdown(found, q)) : problem(404, "No such objective", "");
    }
    case "traces/endpoints":
      return ok({
        endpoints: [
          { receiver: "otlp", protocol: "grpc", address: "127.0.0.1:4317", tls: false },
          { receiver: "otlp", protocol: "http", address: "127.0.0.1:4318", tls: false },
        ],
      });
    case "traces/services":
      return ok(empty ? { services: [] } : services());
    case "traces/search":
      return ok(empty ? { traces: [], next_cursor: "" } : search(q));
    case "traces/traces/:id": {
      const recipe = recipes.find((x) => x.id === id);
      return recipe
        ? ok(trace(recipe))
        : problem(404, "No such trace", "It was not kept, or it has expired since.");
    }
    case "sampling/status":
      return ok(status(scenario));
    case "sampling/destinations":
      return ok(destinations(scenario));
    case "sampling/refused/:id":
      if (method !== "POST" || id !== "retry") break;
      return ok({ traces: retryAll() });
    case "sampling/refused/:id/retry": {
      if (method !== "POST") break;
      const traces = retry(id);
      return traces > 0
        ? ok({ traces })
        : problem(404, "Not Found", `No destination refuses the trace ${id}: it was sent again already.`);
    }
    case "sampling/cost":
      return ok(cost(scenario));
    case "sampling/policies":
      return ok(policies(scenario));
    case "sampling/policies/:id": {
      if (method !== "POST" || id !== "reload") break;
      return scenario === "troubled"
        ? problem(422, "Unprocessable Entity", `The policies were not reloaded: ${RELOAD_ERROR}.`)
        : ok(policies(scenario));
    }
    case "sampling/shadow": {
      const there = shadow(scenario);
      return there
        ? ok(there)
        : problem(404, "Not Found", "The policies have no shadow: add policies under tail_sampling::shadow.");
    }
    case "sampling/shadow/:id":
      if (method !== "POST" || id !== "promote") break;
      return ok({ ...policies("promoted"), note: NOTE });
    case "sampling/decisions/:id": {
      const known = decision(id);
      return known ? ok(known) : problem(404, "Not Found", undecided(id));
    }
    case "alerts/alerts":
      return ok({ alerts: empty ? [] : alerts() });
    case "alerts/deliveries":
      return ok({ deliveries: empty ? [] : deliveries() });
  }
  return problem(404, "Not Found", `The mock API has no ${path.join("/")}.`);
}

function wholeMinute(): string {
  return new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString();
}
