// Objectives of a simulated shop in every state that the dashboard has to show.

import type {
  Breakdown,
  BudgetPolicy,
  BurnRate,
  Dimension,
  History,
  Indicator,
  Objective,
  ObjectiveAlert,
  Tier,
} from "../src/api/types";
import { random } from "./random.ts";

const WINDOWS: Record<string, number> = {
  "5m": 300,
  "30m": 1800,
  "1h": 3600,
  "2h": 7200,
  "6h": 21600,
  "1d": 86400,
  "3d": 259200,
};

interface Case {
  name: string;
  service: string;
  description: string;
  target: number;
  window?: [string, number];
  indicator: Parameters<typeof indicator>[0];
  perSecond: number;
  /** Burn rates of 5m, 1h, 6h, 3d and of the whole window. */
  burn: [number, number, number, number, number];
  alert?: Partial<ObjectiveAlert>;
  state?: Objective["state"];
  message?: string;
  labels?: Record<string, string>;
}

/** An indicator, given in part. */
export const indicator = (said: Pick<Indicator, "type"> & Partial<Indicator>): Indicator => ({
  service: "",
  kind: "",
  operations: [],
  attributes: {},
  threshold_ms: 0,
  bad_query: "",
  total_query: "",
  sentence: "",
  unit: "events",
  unit_parts: 1,
  ratio_query: "",
  minimum_per_minute: 0,
  slice_seconds: 0,
  slice_target: 0,
  components: {},
  ...said,
});

const minutesAgo = (m: number) => new Date(Date.now() - m * 60_000).toISOString();

const cases: Case[] = [
  {
    name: "checkout-availability",
    service: "checkout",
    description: "Buyers can complete an order.",
    target: 0.999,
    indicator: {
      type: "availability",
      service: "checkout",
      kind: "server",
      operations: ["POST /checkout"],
      attributes: {},
    },
    perSecond: 42,
    burn: [38.2, 21.4, 4.9, 1.3, 0.83],
    alert: {
      state: "firing",
      severity: "page",
      since: minutesAgo(19),
      summary:
        "3,229 of 151,200 server requests failed in 1h (2.14 %): the budget burns at 21.4 times the sustainable rate and is spent in 5 h 43 m.",
    },
    labels: { team: "shop", tier: "1" },
  },
  {
    name: "checkout-latency",
    service: "checkout",
    description: "Completing an order feels instant.",
    target: 0.99,
    indicator: {
      type: "latency",
      service: "checkout",
      kind: "server",
      threshold_ms: 300,
      operations: ["POST /checkout"],
    },
    perSecond: 42,
    burn: [2.1, 3.4, 3.2, 3.1, 1.18],
    alert: {
      state: "firing",
      severity: "ticket",
      since: minutesAgo(412),
      summary:
        "3.1 % of server requests took longer than 300 ms in 1d: 3.1 times the sustainable rate. The budget is overspent.",
    },
    labels: { team: "shop" },
  },
  {
    name: "payment-availability",
    service: "payment",
    description: "Cards are charged.",
    target: 0.9995,
    indicator: {
      type: "availability",
      service: "payment",
      kind: "server",
      operations: [],
      attributes: { "rpc.service": "Payments" },
    },
    perSecond: 17,
    burn: [15.9, 6.2, 2.4, 0.8, 0.61],
    alert: {
      state: "pending",
      severity: "page",
      since: minutesAgo(1),
      summary: "The short window passes 14.4, the long one does not yet.",
    },
    labels: { team: "payments" },
  },
  {
    name: "search-latency",
    service: "search",
    description: "Results while typing.",
    target: 0.95,
    window: ["7d", 604800],
    indicator: { type: "latency", service: "search", kind: "server", threshold_ms: 120 },
    perSecond: 230,
    burn: [0.9, 1.1, 0.8, 1.2, 0.94],
  },
  {
    name: "catalog-availability",
    service: "catalog",
    description: "",
    target: 0.999,
    indicator: { type: "availability", service: "catalog", kind: "server" },
    perSecond: 310,
    burn: [0.2, 0.3, 0.25, 0.4, 0.35],
    alert: {
      state: "resolved",
      severity: "page",
      since: minutesAgo(96),
      summary: "The 5m burn rate is below 14.4 again.",
    },
  },
  {
    name: "orders-consumer-availability",
    service: "fulfilment",
    description: "Paid orders are picked up from the queue.",
    target: 0.9999,
    window: ["28d", 2419200],
    indicator: {
      type: "availability",
      service: "fulfilment",
      kind: "consumer",
      operations: ["orders process"],
    },
    perSecond: 3.2,
    burn: [0, 0, 0, 0.05, 0.02],
  },
  {
    name: "ingress-5xx",
    service: "edge",
    description: "What the load balancer answers, measured there.",
    target: 0.998,
    indicator: {
      type: "promql",
      bad_query: 'sum(increase(http_requests_total{code=~"5.."}[{{.window}}]))',
      total_query: "sum(increase(http_requests_total[{{.window}}]))",
    },
    perSecond: 900,
    burn: [0.11, 0.2, 0.3, 0.22, 0.18],
  },
  {
    name: "recommendations-availability",
    service: "recommendations",
    description: "Best effort.",
    target: 0.9,
    indicator: { type: "availability", service: "recommendations", kind: "server" },
    perSecond: 60,
    burn: [0.4, 0.3, 0.5, 0.4, 0.44],
  },
  {
    name: "gift-cards-availability",
    service: "gift-cards",
    description: "Rolled out next week.",
    target: 0.999,
    indicator: { type: "availability", service: "gift-cards", kind: "server" },
    perSecond: 0,
    burn: [0, 0, 0, 0, 0],
    state: "no_data",
    message: "no span of service gift-cards and kind server has arrived yet",
  },
  {
    name: "warehouse-freshness",
    service: "warehouse",
    description: "",
    target: 0.995,
    indicator: {
      type: "promql",
      bad_query: "sum(increase(stale_total[{{.window}}]))",
      total_query: "sum(increase(reads_total[{{.window}}]))",
    },
    perSecond: 0,
    burn: [0, 0, 0, 0, 0],
    state: "error",
    message: 'query of total: 1:5: parse error: unknown function with name "increse"',
  },
];

export function objectives(): Objective[] {
  return cases.map(build);
}

function evaluatedUntil(): string {
  return new Date(Math.floor((Date.now() - 15_000) / 60_000) * 60_000).toISOString();
}

/** The burn rate between two known ones, by the logarithm of the window. */
function interpolate(c: Case, seconds: number, window: number): number {
  const known: [number, number][] = [
    [300, c.burn[0]],
    [3600, c.burn[1]],
    [21600, c.burn[2]],
    [259200, c.burn[3]],
    [window, c.burn[4]],
  ];
  for (let i = 1; i < known.length; i++) {
    const [w0, b0] = known[i - 1];
    const [w1, b1] = known[i];
    if (seconds <= w1) return b0 + ((b1 - b0) * Math.log(seconds / w0)) / Math.log(w1 / w0);
  }
  return c.burn[4];
}

/** How long the gateway was down in a window of one of the objectives. */
const GAP_MINUTES = 72;

function build(c: Case): Objective {
  const [window, windowSeconds] = c.window ?? ["30d", 2592000];
  const B = 1 - c.target;
  const noData = c.perSecond === 0;
  const rate = (name: string, seconds: number): BurnRate => {
    const burn = interpolate(c, seconds, windowSeconds);
    const total = Math.round(c.perSecond * seconds);
    return {
      window: name,
      window_seconds: seconds,
      total,
      bad: Math.round(total * burn * B),
      error_ratio: noData ? null : burn * B,
      burn_rate: noData ? null : burn,
      burn_rate_high: noData ? null : burn,
      covered_seconds: seconds,
      covered_ratio: 1,
    };
  };
  const rates = Object.entries(WINDOWS).map(([name, seconds]) => rate(name, seconds));
  const whole = rate(window, windowSeconds);
  rates.push(whole);
  const of = (w: string) => rates.find((r) => r.window === w)?.burn_rate ?? null;
  const remaining = noData ? null : 1 - c.burn[4];
  const share = windowSeconds / 2592000;
  const tier = (
    severity: Tier["severity"],
    long: string,
    short: string,
    factor: number,
    percent: number,
  ): Tier => {
    const scaled = factor * share;
    const l = of(long);
    const s = of(short);
    return {
      severity,
      long_window: long,
      short_window: short,
      factor: scaled,
      budget_percent: percent,
      long_burn_rate: l,
      short_burn_rate: s,
      active: l !== null && s !== null && l >= scaled && s >= scaled,
      reachable: scaled * B < 1,
      exhaustion_seconds: l && remaining !== null && remaining > 0 ? (remaining * windowSeconds) / l : null,
      exhausted_at:
        l && remaining !== null && remaining > 0 ? minutesAgo(-(remaining * windowSeconds) / l / 60) : null,
      awaits_coverage: false,
    };
  };
  const policy: BudgetPolicy =
    remaining === null || remaining > 0.5
      ? "normal"
      : remaining >= 0.1
        ? "cautious"
        : remaining > 0
          ? "freeze"
          : "exhausted";
  const minutes = (windowSeconds / 60) * B;
  const gap = c.name === "payment-availability";
  return {
    name: c.name,
    description: c.description,
    service: c.service,
    labels: c.labels ?? {},
    indicator: indicator(c.indicator),
    target: c.target,
    window,
    window_seconds: windowSeconds,
    evaluated_until: c.state === "error" ? null : evaluatedUntil(),
    counted_since: null,
    last_measured_at: c.state ? null : evaluatedUntil(),
    state: c.state ?? "ok",
    message: c.message ?? "",
    events: { total: whole.total, bad: whole.bad },
    error_ratio: whole.error_ratio,
    budget: {
      remaining_ratio: remaining ?? 1,
      remaining_percent: (remaining ?? 1) * 100,
      allowed_events: B * whole.total,
      remaining_events: B * whole.total - whole.bad,
      total_minutes: minutes,
      remaining_minutes: (remaining ?? 1) * minutes,
      policy,
      remaining_ratio_low: remaining ?? 1,
      expected_events: whole.total,
      young: false,
      exhausted_at: null,
    },
    burn_rates: rates,
    tiers: [
      tier("page", "1h", "5m", 14.4, 2),
      tier("page", "6h", "30m", 6, 5),
      tier("ticket", "1d", "2h", 3, 10),
      tier("ticket", "3d", "6h", 1, 10),
    ],
    alert: { state: "inactive", severity: "", since: null, summary: "", ...c.alert },
    coverage: {
      seen_seconds: windowSeconds,
      covered_seconds: windowSeconds - (gap ? GAP_MINUTES * 60 : 0),
      covered_ratio: 1 - (gap ? (GAP_MINUTES * 60) / windowSeconds : 0),
      young: false,
      lost_spans: 0,
      gaps: gap
        ? [{ from: minutesAgo(9000), to: minutesAgo(9000 - GAP_MINUTES), reason: "gateway_down" }]
        : undefined,
      gaps_total: gap ? 1 : 0,
    },
    volatile_counts:
      c.name === "checkout-latency"
        ? "counts since 2026-01-31 12:03 UTC would not survive a crash: no space left on device"
        : "",
    late: c.name === "checkout-latency" ? { total: 120, bad: 7 } : { total: 0, bad: 0 },
    clocks_off:
      c.name === "checkout-latency"
        ? [{ service: "checkout", processes: 1, behind_seconds: 10_800, since: "2026-01-31T12:03:00Z" }]
        : [],
    lost_counts:
      c.name === "checkout-latency"
        ? "counting began anew at 2026-01-31 11:40 UTC; counts that no metrics database had by then are missing: sli.7.counts is damaged"
        : "",
    warnings: [],
  };
}

export function history(name: string, start: number, end: number, step: number): History | null {
  const c = cases.find((x) => x.name === name);
  if (!c) return null;
  const o = build(c);
  const B = 1 - c.target;
  const r = random(name.length * 7919);
  const points = [];
  const remaining = o.budget.remaining_ratio;
  const now = Date.now() / 1000;
  for (let t = Math.ceil(start / step) * step; t <= end; t += step) {
    const ago = now - t;
    const day = 1 + 0.5 * Math.sin((t / 86400) * 2 * Math.PI);
    const total = Math.round(c.perSecond * step * day * (0.95 + 0.1 * r()));
    const incident = ago < 45 * 60 ? 1 : ago < 50 * 60 ? 0.3 : 0;
    const burn = incident * c.burn[0] + (1 - incident) * c.burn[4] * (0.4 + 0.8 * r());
    const gone = (ago / o.window_seconds) * (0.4 + 0.3 * Math.sin(ago / 90000));
    const gap = name === "payment-availability" && ago > 7200 && ago < 9600;
    points.push({
      time: new Date(t * 1000).toISOString(),
      total: gap ? 0 : total,
      bad: gap ? 0 : Math.round(total * burn * B * (0.7 + 0.6 * r())),
      error_ratio: gap || !total ? null : burn * B,
      budget_remaining_ratio:
        remaining === null
          ? null
          : remaining + gone + (1 - Math.min(1, (50 * 60 - Math.min(ago, 3000)) / 3000)) * 0.03,
      burn_rates: {
        "5m": gap || !total ? null : burn,
        "1h": total ? c.burn[4] + (c.burn[1] - c.burn[4]) * Math.max(0, 1 - ago / 3600) : null,
        "6h": total ? c.burn[4] + (c.burn[2] - c.burn[4]) * Math.max(0, 1 - ago / 21600) : null,
        "3d": total ? c.burn[4] + (c.burn[3] - c.burn[4]) * Math.max(0, 1 - ago / 259200) : null,
      },
    });
  }
  return { step_seconds: step, points };
}

/** Parts of an objective's events: a value's share of all events, and of the bad ones. */
const PARTS: Record<Dimension, [value: string, all: number, bad: number][]> = {
  version: [
    ["2.41.0", 0.21, 0.97],
    ["2.40.3", 0.79, 0.03],
  ],
  operation: [
    ["POST /checkout", 0.6, 0.88],
    ["POST /checkout/confirm", 0.3, 0.1],
    ["__other__", 0.1, 0.02],
  ],
  service: [["checkout", 1, 1]],
  reason: [
    ["java.net.SocketTimeoutException", 1, 0.81],
    ["504", 1, 0.13],
    ["error", 1, 0.06],
  ],
};

/** What burned an objective's budget. Where the gateway chooses the range, it is that of the mock's alert. */
export function breakdown(o: Objective, q: URLSearchParams): Breakdown {
  const by = (q.get("by") ?? "version") as Dimension;
  const end = new Date(q.get("end") ?? Math.floor(Date.now() / 60_000) * 60_000);
  const firing = o.alert.state === "firing" && o.alert.since;
  const start = new Date(q.get("start") ?? (firing || end.getTime() - 3_600_000));
  const minutes = Math.max(1, (end.getTime() - start.getTime()) / 60_000);
  const rate = o.burn_rates.find((b) => b.window === "5m");
  const total = Math.round(((rate?.total ?? 0) / 5) * minutes);
  const bad = Math.round(total * (rate?.error_ratio ?? 0));
  const names: typeof PARTS.reason = o.indicator.type === "promql" ? [["", 1, 1]] : PARTS[by];
  const ratio = (n: number, of: number) => (of > 0 ? n / of : null);
  const rows = names.map(([value, all, share]) => {
    const events = { total: Math.round(total * all), bad: Math.round(bad * share) };
    return {
      values: { [by]: value },
      events,
      error_ratio: ratio(events.bad, events.total),
      total_per_minute: events.total / minutes,
      bad_per_minute: events.bad / minutes,
      bad_share: ratio(events.bad, bad),
      total_share: ratio(events.total, total),
    };
  });
  const other = by === "operation" && o.indicator.type !== "promql" ? rows[2].events : { total: 0, bad: 0 };
  return {
    start: start.toISOString(),
    end: end.toISOString(),
    basis: q.has("start") ? "request" : firing ? "alert" : "last_hour",
    by: [by],
    events: { total, bad },
    error_ratio: ratio(bad, total),
    rows: total > 0 ? rows : [],
    omitted_rows: 0,
    omitted: { total: 0, bad: 0 },
    other,
    uncovered: { total: 0, bad: 0 },
  };
}

/** Objectives before their first evaluation. */
export function unevaluated(): Objective[] {
  return objectives().map((o) => ({
    ...o,
    evaluated_until: null,
    counted_since: null,
    last_measured_at: null,
    state: "no_data",
    message: "",
    events: { total: 0, bad: 0 },
    error_ratio: null,
    budget: { ...o.budget, remaining_ratio: 1, remaining_percent: 100 },
    burn_rates: [],
    tiers: [],
    alert: { state: "inactive", severity: "", since: null, summary: "" },
  }));
}
