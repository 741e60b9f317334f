// Health, alerts and deliveries of the simulated shop.

import type { Alert, Caller, Delivery, Readiness } from "../src/api/types";
import type { Scenario } from "./api.ts";
import { objectives } from "./objectives.ts";

const minutesAgo = (m: number) => new Date(Date.now() - m * 60_000).toISOString();

export function readiness(scenario: Scenario): Readiness {
  const one = (id: string, ok: boolean, blocking: boolean, message: string) => ({
    id,
    ok,
    blocking,
    message,
  });
  const hint = {
    ...one("slo", true, false, "12 objectives are evaluated."),
    advice:
      "no receiver is configured: nobody is told when an objective burns; add one under extensions::slo::receivers",
  };
  if (scenario === "troubled")
    return {
      ready: true,
      components: [
        hint,
        one("otlp", true, true, "listening"),
        one(
          "tail_sampling",
          false,
          false,
          "otlp_grpc/backend refuses the gateway since 12:03:04: UNAUTHENTICATED: the token has expired; 1204 traces wait",
        ),
      ],
    };
  if (scenario === "empty" || scenario === "unkept")
    return { ready: true, components: [hint, one("otlp", true, true, "listening")] };
  if (scenario !== "down") return { ready: true, components: [one("otlp", true, true, "listening")] };
  return {
    ready: false,
    components: [hint, one("otlp", false, true, "no otlp receiver has started yet")],
  };
}

export function alerts(): Alert[] {
  return objectives().flatMap((o, i) => {
    const { state, severity, since, summary } = o.alert;
    if (state === "inactive" || severity === "") return [];
    return {
      id: `a${i}`,
      objective: o.name,
      service: o.service,
      state,
      severity,
      starts_at: since ?? minutesAgo(60),
      ends_at: state === "resolved" ? minutesAgo(74) : null,
      updated_at: minutesAgo(1),
      summary,
      labels: o.labels,
      annotations: {},
    };
  });
}

export function deliveries(): Delivery[] {
  const one = (d: Partial<Delivery>): Delivery => ({
    id: "d1",
    idempotency_key: "01J9Z",
    receiver: "oncall",
    objective: "checkout-availability",
    transition: "firing",
    state: "delivered",
    attempts: 1,
    created_at: minutesAgo(19),
    next_attempt_at: null,
    delivered_at: minutesAgo(19),
    last_error: "",
    ...d,
  });
  return [
    one({
      id: "d4",
      receiver: "chat",
      state: "pending",
      attempts: 5,
      delivered_at: null,
      next_attempt_at: new Date(Date.now() + 95_000).toISOString(),
      last_error: "POST http://127.0.0.1:9000/hook: 503 Service Unavailable",
    }),
    one({}),
    one({
      id: "d2",
      objective: "catalog-availability",
      transition: "resolved",
      created_at: minutesAgo(74),
      delivered_at: minutesAgo(73),
      attempts: 2,
    }),
    one({
      id: "d3",
      objective: "checkout-latency",
      transition: "escalated",
      receiver: "pager-old",
      state: "dead",
      attempts: 12,
      created_at: minutesAgo(412),
      delivered_at: null,
      last_error: "POST https://pager.example/v1: 401 Unauthorized: the integration key was revoked",
    }),
  ];
}

/** The caller: somebody on the gateway's machine, but in the scenario looking. */
export function caller(scenario: Scenario): Caller {
  const operator = scenario !== "looking";
  return {
    subject: operator ? "" : "eve@example.com",
    address: "127.0.0.1:51234",
    operator,
    why: operator
      ? ""
      : 'Changes are taken from operators only, and "eve@example.com" is none: add it to web::operators.',
  };
}
