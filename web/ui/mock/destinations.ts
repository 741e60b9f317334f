// The destinations of the simulated shop's kept traces.

import type { Destination, Destinations, RefusedTrace } from "../src/api/types";
import type { Scenario } from "./api.ts";
import { recipes } from "./traces.ts";

const secondsAgo = (s: number) => new Date(Date.now() - s * 1000).toISOString();
const GIB = 1_073_741_824;

function one(d: Partial<Destination>): Destination {
  return {
    destination: "trace_store",
    pipeline: "traces/sampled",
    bytes: true,
    exporters: [d.destination ?? "trace_store"],
    state: "delivering",
    backlog: { traces: 0, spans: 0, bytes: 0, seconds: 0 },
    share_bytes: GIB,
    last_answer: { at: secondsAgo(1), class: "accepted", code: "OK", text: "" },
    retry_at: null,
    refuses_since: null,
    delivered_traces: 48_199,
    delivered_spans: 1_401_022,
    retries: 0,
    rejected_spans: 0,
    rejected_why: "",
    refused_traces: 0,
    apart_traces: 0,
    undelivered_traces: 0,
    undelivered_spans: 0,
    ...d,
  };
}

const backend = one({
  destination: "otlp_grpc/backend",
  backlog: { traces: 12, spans: 340, bytes: 190_000, seconds: 0.4 },
});

/** Destinations, each with trouble of another kind. */
function troubled(): Destination[] {
  return [
    one({ share_bytes: GIB / 2 }),
    one({
      destination: "otlp_grpc/backend",
      state: "refuses_gateway",
      backlog: { traces: 1204, spans: 40_112, bytes: 700_000_000, seconds: 2_420 },
      share_bytes: GIB / 2,
      last_answer: {
        at: secondsAgo(21),
        class: "gateway",
        code: "UNAUTHENTICATED",
        text: "the token has expired",
      },
      retry_at: new Date(Date.now() + 8_500).toISOString(),
      refuses_since: secondsAgo(2_400),
      retries: 96,
      undelivered_traces: 310,
      undelivered_spans: 9_020,
    }),
    one({
      destination: "otlp_http/archive",
      state: "slow",
      backlog: { traces: 88, spans: 2_950, bytes: 61_000_000, seconds: 14.2 },
      share_bytes: GIB / 2,
      last_answer: { at: secondsAgo(14), class: "accepted", code: "200", text: "" },
      rejected_spans: 17,
      rejected_why: "attribute values longer than 4096 bytes are not stored",
      refused_traces: 21 - (sentAgain.has(TAKEN) ? 1 : 0),
    }),
    one({
      destination: "traces/foreign",
      pipeline: "traces/foreign",
      bytes: false,
      exporters: ["kafka", "debug"],
      state: "retrying",
      backlog: { traces: 1, spans: 3, bytes: 1_900, seconds: 4 },
      share_bytes: GIB / 2,
      last_answer: {
        at: secondsAgo(2),
        class: "retry",
        code: "UNAVAILABLE",
        text: "no brokers are available",
      },
      retry_at: new Date(Date.now() + 3_000).toISOString(),
      retries: 2,
      apart_traces: 1,
    }),
  ];
}

/** Refused traces: one is accepted when it is sent again, somebody else sent one again, one is refused again. */
export const [TAKEN, GONE, REFUSED_AGAIN] = [recipes[0].id, recipes[3].id, recipes[2].id];

/** The traces that were sent again. */
export const sentAgain = new Set<string>();

const STARTED = Date.now();

function refused(): RefusedTrace[] {
  const row = (trace_id: string, minutes: number, code: string, text: string): RefusedTrace => ({
    trace_id,
    destination: "otlp_http/archive",
    pipeline: "traces/sampled",
    spans: 24,
    bytes: 19_100,
    at: new Date(sentAgain.has(trace_id) ? STARTED : STARTED - minutes * 60_000).toISOString(),
    code,
    text,
  });
  return [
    row(
      TAKEN,
      4,
      "400",
      'span 3, attribute "db.statement": the value has 70121 bytes, of which at most 65535 are taken',
    ),
    row(GONE, 11, "422", ""),
    row(
      REFUSED_AGAIN,
      74,
      "400",
      "<html><head><title>400 Bad Request</title></head><body><center><h1>400 Bad Request</h1></center></body></html>",
    ),
    ...recipes.slice(4, 13).map((r, i) => row(r.id, 80 + i, "400", "the span has no name")),
  ].filter((r) => r.trace_id === REFUSED_AGAIN || !sentAgain.has(r.trace_id));
}

export function destinations(scenario: Scenario): Destinations {
  if (scenario === "troubled")
    return {
      destinations: troubled(),
      refused: refused(),
      refused_total: 21 - (sentAgain.has(TAKEN) ? 1 : 0),
      budget_bytes: 2 * GIB,
      used_bytes: 761_001_900,
      when_full: "give_up",
    };
  return {
    destinations: scenario === "empty" ? [] : [one({}), backend],
    refused: [],
    refused_total: 0,
    budget_bytes: 2 * GIB,
    used_bytes: scenario === "empty" ? 0 : backend.backlog.bytes,
    when_full: "give_up",
  };
}

/** The number of refusals that a retry undoes. */
export function retry(trace: string): number {
  if (trace !== TAKEN && trace !== REFUSED_AGAIN) return 0;
  sentAgain.add(trace);
  return 1;
}

/** The number of refusals that a retry of all undoes. */
export const retryAll = () => retry(TAKEN) + retry(REFUSED_AGAIN);
