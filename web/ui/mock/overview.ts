// The overview of the mock API: rows of its objectives, sorted and filtered as web/internal/objectives does.

import type {
  Meter,
  MeterWindow,
  Objective,
  ObjectivePromise,
  ObjectiveRow,
  ObjectivesUrgency,
  Overview,
  Tier,
} from "../src/api/types";
import { budgetLeft } from "../src/objectives/budget.ts";
import { standing } from "../src/objectives/urgency.ts";

const ORDER = ["page", "ticket", "pending", "error", "overspent", "low", "ok", "no_data"] as const;

const rank = (o: Objective) =>
  standing(o) === "no_data" && budgetLeft(o) !== null ? 5.5 : ORDER.indexOf(standing(o));

const byUrgency = (a: Objective, b: Objective) =>
  rank(a) - rank(b) || (budgetLeft(a) ?? 2) - (budgetLeft(b) ?? 2) || a.name.localeCompare(b.name);

const found = (o: Objective, q: URLSearchParams) => {
  const labels = Object.entries(o.labels).map(([k, v]) => `${k}=${v}`);
  const text = [o.name, o.service, o.description, ...labels].join("\n").toLowerCase();
  const among = (name: string, value: string) => !q.get(name) || q.getAll(name).includes(value);
  return (
    (q.get("q") ?? "")
      .toLowerCase()
      .split(/\s+/)
      .every((word) => text.includes(word)) &&
    among("urgency", standing(o)) &&
    among("service", o.service) &&
    q.getAll("label").every((l) => labels.includes(l))
  );
};

/** The answer for these objectives. A cursor is the number of rows before it. */
export function overview(
  times: Pick<Overview, "evaluated_until" | "next_evaluation_at">,
  all: Objective[],
  q: URLSearchParams,
): Overview {
  const matched = all.filter((o) => found(o, q)).sort(byUrgency);
  const from = Number(q.get("cursor") ?? 0);
  const to = from + Number(q.get("limit") ?? 100);
  const promises: ObjectivePromise[] = [];
  const meters: Meter[] = [];
  const messages: string[] = [];
  const counts = Object.fromEntries(ORDER.map((u) => [u, 0])) as unknown as ObjectivesUrgency;
  for (const o of all) counts[standing(o)]++;
  const rows = matched.slice(from, to).map((o): ObjectiveRow => {
    const windows = ["5m", "1h", "6h", "3d"]
      .filter((w) => o.burn_rates.some((b) => b.window === w))
      .map((w) => held(o.tiers, w));
    return {
      name: o.name,
      ...(o.service && { service: o.service }),
      promise: indexOf(promises, {
        type: o.indicator.type,
        kind: o.indicator.kind,
        threshold_ms: o.indicator.threshold_ms,
        target: o.target,
        window: o.window,
      }),
      meter: indexOf(meters, { windows }),
      urgency: standing(o),
      ...(o.state !== "ok" && { state: o.state }),
      ...(o.message && { message: indexOf(messages, o.message) }),
      ...(o.alert.since && o.alert.state !== "resolved" && { since: o.alert.since }),
      policy: o.budget.policy,
      remaining_ratio: budgetLeft(o),
      total: o.events.total,
      bad: o.events.bad,
      burn_rates: windows.map((w) => o.burn_rates.find((b) => b.window === w.window)?.burn_rate ?? null),
    };
  });
  return {
    ...times,
    total: all.length,
    matched: matched.length,
    by_urgency: counts,
    promises,
    meters,
    messages,
    rows,
    next_cursor: to < matched.length ? String(to) : "",
  };
}

function held(tiers: Tier[], window: string): MeterWindow {
  const tier =
    tiers.find((t) => t.reachable && t.long_window === window) ??
    tiers.find((t) => t.reachable && t.short_window === window);
  return { window, factor: tier?.factor ?? null, severity: tier?.severity ?? "" };
}

/** The index of a value in a list, which gets it if it lacks it. */
function indexOf<T>(list: T[], value: T): number {
  const text = JSON.stringify(value);
  const at = list.findIndex((x) => JSON.stringify(x) === text);
  return at >= 0 ? at : list.push(value) - 1;
}
