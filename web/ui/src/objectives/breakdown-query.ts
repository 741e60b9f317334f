// Queries of Prometheus' API for bad events by label.

import type { VectorSample } from "../api/types";

/** The PromQL for the bad events of an objective in the last `seconds`, by one label. */
export function badEventsQuery(objective: string, label: string, seconds: number): string {
  // An objective for each service is named after its definition, under which its events are counted, and the service.
  const [definition, service] = objective.split(/:(.*)/s);
  const of = service ? `,service_name=${JSON.stringify(decodeURIComponent(service))}` : "";
  const name = JSON.stringify(definition); // PromQL quotes strings as JSON does
  return `sum by (${label}) (increase(slowburn_sli_bad_events_total{objective=${name}${of}}[${Math.max(60, Math.round(seconds))}s])) > 0`;
}

/** The rows of a breakdown by `label`, largest first, each with its share of the sum. */
export function shares(samples: VectorSample[], label: string): { name: string; n: number; share: number }[] {
  const rows = samples.map((s) => ({ name: s.metric[label] || "(none)", n: Number(s.value[1]), share: 0 }));
  const sum = rows.reduce((total, r) => total + r.n, 0);
  for (const r of rows) r.share = sum > 0 ? r.n / sum : 0;
  return rows.filter((r) => r.n > 0).sort((a, b) => b.n - a.n);
}
