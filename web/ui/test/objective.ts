// Objectives for tests: healthy unless told otherwise.

import { indicator } from "../mock/objectives";
import type { Objective } from "../src/api/types";

export function objective(
  name: string,
  change: Partial<Objective> = {},
  remaining: number | null = 0.8,
): Objective {
  return {
    name,
    description: "",
    service: "checkout",
    labels: {},
    indicator: indicator({ type: "availability", service: "checkout", kind: "server" }),
    target: 0.999,
    window: "30d",
    window_seconds: 2592000,
    evaluated_until: null,
    counted_since: null,
    last_measured_at: null,
    state: "ok",
    message: "",
    events: remaining === null ? { total: 0, bad: 0 } : { total: 1_000_000, bad: 200 },
    error_ratio: 0.0002,
    budget: {
      remaining_ratio: remaining ?? 1,
      remaining_percent: (remaining ?? 1) * 100,
      allowed_events: 1000,
      remaining_events: 800,
      total_minutes: 43.2,
      remaining_minutes: 34.56,
      policy: "normal",
      remaining_ratio_low: remaining ?? 1,
      expected_events: 1_000_000,
      young: false,
      exhausted_at: null,
    },
    burn_rates: [],
    tiers: [],
    alert: { state: "inactive", severity: "", since: null, summary: "" },
    coverage: {
      seen_seconds: 2592000,
      covered_seconds: 2592000,
      covered_ratio: 1,
      young: false,
      lost_spans: 0,
      gaps_total: 0,
    },
    volatile_counts: "",
    lost_counts: "",
    warnings: [],
    late: { total: 0, bad: 0 },
    clocks_off: [],
    ...change,
  };
}

export const alert = (state: Objective["alert"]["state"], severity: Objective["alert"]["severity"]) => ({
  alert: { state, severity, since: null, summary: "" },
});
