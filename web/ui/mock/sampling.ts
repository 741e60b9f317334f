// The status of tail_sampling in the simulated shop.

import type {
  Amount,
  Policies,
  PolicyCost,
  SamplingCost,
  SamplingStatus,
  ServiceCost,
  Shadow,
} from "../src/api/types";
import type { Scenario } from "./api.ts";
import { hex, random } from "./random.ts";
import { NOT_KEPT, recipes } from "./traces.ts";

const minutesAgo = (m: number) => new Date(Date.now() - m * 60_000).toISOString();
const amount = (traces: number, spans: number, bytes: number): Amount => ({ traces, spans, bytes });
const NOTHING = amount(0, 0, 0);

export const RELOAD_ERROR =
  "the policies stay as they are, because the configuration is not valid: processors::tail_sampling: " +
  "policies[2]: unknown type probabilstic: did you mean probabilistic?";

export const NOTE =
  "The shadow's policies decide until the next reload or restart: to make it last, move them from " +
  "tail_sampling::shadow::policies to tail_sampling::policies in the configuration.";

const POLICIES: PolicyCost[] = [
  {
    name: "errors",
    type: "status_code",
    sampled: amount(12_801, 402_113, 238_000_000),
    dropped: NOTHING,
    matched: amount(12_801, 402_113, 238_000_000),
    alone: amount(11_920, 371_002, 219_000_000),
  },
  {
    name: "slow",
    type: "latency",
    sampled: amount(6_240, 388_002, 251_000_000),
    dropped: NOTHING,
    matched: amount(7_006, 421_880, 276_000_000),
    alone: amount(5_911, 360_150, 233_000_000),
  },
  {
    name: "health-checks",
    type: "drop",
    sampled: NOTHING,
    dropped: amount(12_004, 12_004, 4_200_000),
    matched: amount(12_004, 12_004, 4_200_000),
    alone: NOTHING,
  },
  {
    name: "rest",
    type: "probabilistic",
    percentage: 1,
    sampled: amount(29_170, 611_450, 322_000_000),
    dropped: NOTHING,
    matched: amount(1_952_541, 41_200_900, 21_900_000_000),
    alone: amount(29_170, 611_450, 322_000_000),
  },
];

const none = (p: PolicyCost): PolicyCost => ({
  ...p,
  sampled: NOTHING,
  dropped: NOTHING,
  matched: NOTHING,
  alone: NOTHING,
});

export function status(scenario: Scenario): SamplingStatus {
  const t = Date.now() / 1000;
  const troubled = scenario === "troubled";
  const fresh = scenario === "empty" || scenario === "unkept";
  const none = { sampled: 0, not_sampled: scenario === "unkept" ? 20 : 0, dropped: 0 };
  return {
    traces_pending: fresh ? none.not_sampled / 10 : 8420 + Math.round(300 * Math.sin(t / 30)),
    spans_buffered: 183_400,
    bytes_buffered: 118_600_000,
    memory_budget_bytes: 268_435_456,
    oldest_undecided_seconds: 11.4,
    traces_revivable: fresh ? 0 : 31_450,
    bytes_revivable: fresh ? 0 : 17_900_000,
    revived_traces: fresh ? 0 : 37,
    linked_traces: fresh ? 0 : 1_204,
    objective_traces: fresh ? 0 : 58,
    traces_undelivered: 12,
    decided: fresh ? none : { sampled: 48_211, not_sampled: 1_904_330, dropped: 12_004 },
    late_spans: { kept: 301, dropped: 9_120, errors_dropped: 4 },
    refused_spans: 0,
    failed_spans: 0,
    early_decisions: troubled ? 42 : 0,
    storage: "disk",
    disk_bytes: troubled ? 3_900_000_000 : 610_000_000,
    disk_budget_bytes: 4_294_967_296,
    segments: troubled ? 930 : 146,
    recovered_spans: 18_220,
    lost_spans: troubled ? 31 : 0,
    trimmed_spans: 0,
    policies: POLICIES.map((p) => ({
      name: p.name,
      type: p.type,
      sampled_traces: p.sampled.traces,
      sampled_spans: p.sampled.spans,
      dropped_traces: p.dropped.traces,
    })),
  };
}

/** A service of which only spans from before the start were passed on. */
const RESTARTED: ServiceCost = {
  service: "checkout",
  spans_in: 0,
  bytes_in: 0,
  spans_kept: 160,
  bytes_kept: 122_880,
};

export function cost(scenario: Scenario): SamplingCost {
  if (scenario === "unkept")
    return {
      policies: POLICIES.map(none),
      services: services()
        .slice(0, 3)
        .map((s) => ({ ...s, spans_in: 40 })),
    };
  if (scenario === "empty") return { policies: POLICIES.map(none), services: [] };
  if (scenario === "troubled") return { policies: POLICIES, services: [RESTARTED] };
  return { policies: POLICIES, services: services() };
}

const NAMES = (
  "frontend checkout payment catalog search cart shipping fulfilment email recommendations postgres redis opensearch " +
  "bank-gateway ads currency tax fraud loyalty gift-cards returns warehouse pricing ingress __other__"
).split(" ");

function services(): ServiceCost[] {
  const r = random(7);
  return NAMES.map((service, i) => {
    const spans_in = Math.round((9_800_000 / (i + 1)) * (0.7 + r() * 0.6));
    const bytes_in = Math.round(spans_in * (300 + r() * 500));
    const share = 0.01 + r() * (service === "payment" ? 0.6 : 0.08);
    return {
      service,
      spans_in,
      bytes_in,
      spans_kept: Math.round(spans_in * share),
      bytes_kept: Math.round(bytes_in * share),
    };
  });
}

export function policies(scenario: Scenario): Policies {
  const now = POLICIES.map(({ name, type }) => ({ name, type }));
  const shown: Policies = { version: 3, since: minutesAgo(94), policies: now, promoted: false };
  const both = { ...shown, shadow: SHADOW.map(({ name, type }) => ({ name, type })) };
  if (scenario === "ok") return both;
  if (scenario === "reverted") return { ...both, version: 5, since: minutesAgo(0) };
  if (scenario === "promoted") return { ...shown, version: 4, since: minutesAgo(0), promoted: true };
  if (scenario === "troubled")
    return {
      ...shown,
      needs_restart: ["decision_wait", "disk_budget"],
      last_error: { at: minutesAgo(6), detail: RELOAD_ERROR },
    };
  return shown;
}

const SHADOW: Shadow["policies"] = [
  { name: "errors", type: "status_code", sampled: amount(6_400, 201_000, 119_000_000), dropped: NOTHING },
  { name: "slow-endpoints", type: "latency", sampled: amount(4_620, 290_400, 188_000_000), dropped: NOTHING },
  { name: "health-checks", type: "drop", sampled: NOTHING, dropped: amount(6_120, 6_120, 2_100_000) },
  { name: "fair-share", type: "dynamic", sampled: amount(20_000, 411_000, 234_000_000), dropped: NOTHING },
];

export function shadow(scenario: Scenario): Shadow | null {
  if (scenario !== "ok" && scenario !== "reverted") return null;
  const r = random(11);
  const kept = recipes.slice(0, 13).map((x) => x.id);
  const ids = [NOT_KEPT, ...kept];
  return {
    policy_version: 3,
    since: minutesAgo(94),
    sampled: amount(31_020, 902_400, 541_000_000),
    not_sampled: amount(980_300, 19_800_200, 10_300_000_000),
    dropped: amount(6_120, 6_120, 2_100_000),
    policies: SHADOW,
    only_shadow: amount(7_900, 160_200, 91_000_000),
    only_real: amount(1_010, 30_100, 17_400_000),
    differences: [...ids, ...Array.from({ length: 6 }, () => hex(r, 16))].map((trace_id, i) => ({
      trace_id,
      decided_at: minutesAgo(i * 0.7),
      ...(kept.includes(trace_id)
        ? { shadow: "not_sampled" as const, real: "sampled" as const }
        : { shadow: "sampled" as const, real: "not_sampled" as const }),
    })),
  };
}
