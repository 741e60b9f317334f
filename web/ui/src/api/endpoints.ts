// One function per API call. Lists that arrive as null are made empty here, once, so that no screen has to ask.

import { ApiError, getJson, postJson } from "./client";
import type {
  Alert,
  Caller,
  Decision,
  Delivery,
  Destinations,
  Endpoint,
  History,
  Objective,
  Objectives,
  Policies,
  Readiness,
  SamplingCost,
  SamplingStatus,
  Shadow,
  Trace,
  TraceSearch,
  TraceServices,
  TraceSummary,
  VectorSample,
} from "./types";

const segment = encodeURIComponent;

/** Whom the gateway takes this reader for. */
export function caller(signal?: AbortSignal): Promise<Caller> {
  return getJson("api/access/v1/me", {}, signal);
}

export async function objectives(signal?: AbortSignal): Promise<Objectives> {
  const answer = await getJson<Objectives>("api/slo/v1/objectives", {}, signal);
  return { ...answer, objectives: (answer.objectives ?? []).map(wholeObjective) };
}

export async function objective(name: string, signal?: AbortSignal): Promise<Objective> {
  return wholeObjective(await getJson<Objective>(`api/slo/v1/objectives/${segment(name)}`, {}, signal));
}

export async function history(
  name: string,
  range: { start: Date; end: Date; step: number },
  signal?: AbortSignal,
): Promise<History> {
  const params = { start: range.start.toISOString(), end: range.end.toISOString(), step: range.step };
  const answer = await getJson<History>(`api/slo/v1/objectives/${segment(name)}/history`, params, signal);
  return { ...answer, points: answer.points ?? [] };
}

export async function traceServices(signal?: AbortSignal): Promise<TraceServices["services"]> {
  const answer = await getJson<TraceServices>("api/traces/v1/services", {}, signal);
  return (answer.services ?? []).map((s) => ({ ...s, operations: s.operations ?? [] }));
}

export async function endpoints(signal?: AbortSignal): Promise<Endpoint[]> {
  return (
    (await getJson<{ endpoints: Endpoint[] | null }>("api/traces/v1/endpoints", {}, signal)).endpoints ?? []
  );
}

export interface TraceQuery {
  service?: string;
  operation?: string;
  min_duration?: string;
  max_duration?: string;
  error?: boolean;
  policy?: string;
  start: string;
  end: string;
  limit: number;
  cursor?: string;
}

export async function searchTraces(query: TraceQuery, signal?: AbortSignal): Promise<TraceSearch> {
  const answer = await getJson<TraceSearch>("api/traces/v1/search", { ...query }, signal);
  return { traces: (answer.traces ?? []).map(wholeSummary), next_cursor: answer.next_cursor ?? "" };
}

export async function trace(id: string, signal?: AbortSignal): Promise<Trace> {
  const t = await getJson<Trace>(`api/traces/v1/traces/${segment(id)}`, {}, signal);
  return {
    ...t,
    summary: wholeSummary(t.summary),
    clock: { ...t.clock, clocks: t.clock?.clocks ?? [] },
    warnings: t.warnings ?? [],
    spans: t.spans ?? [],
    resources: t.resources ?? [],
  };
}

export function samplingStatus(signal?: AbortSignal): Promise<SamplingStatus> {
  return getJson<SamplingStatus>("api/sampling/v1/status", {}, signal).then((s) => ({
    ...s,
    policies: s.policies ?? [],
  }));
}

export async function samplingCost(signal?: AbortSignal): Promise<SamplingCost> {
  const answer = await getJson<SamplingCost>("api/sampling/v1/cost", {}, signal);
  return { policies: answer.policies ?? [], services: answer.services ?? [] };
}

export function policies(signal?: AbortSignal): Promise<Policies> {
  return getJson("api/sampling/v1/policies", {}, signal);
}

export function reloadPolicies(): Promise<Policies> {
  return postJson("api/sampling/v1/policies/reload");
}

/** What the shadow would keep; null where there is none (404). */
export async function shadow(signal?: AbortSignal): Promise<Shadow | null> {
  const answer = await getJson<Partial<Shadow>>("api/sampling/v1/shadow", {}, signal, [404]);
  if (!answer.sampled) return null;
  return { ...(answer as Shadow), differences: answer.differences ?? [] };
}

export function promoteShadow(): Promise<Policies> {
  return postJson("api/sampling/v1/shadow/promote");
}

export async function destinations(signal?: AbortSignal): Promise<Destinations> {
  const answer = await getJson<Destinations>("api/sampling/v1/destinations", {}, signal);
  return {
    ...answer,
    destinations: (answer.destinations ?? []).map((d) => ({ ...d, exporters: d.exporters ?? [] })),
    refused: answer.refused ?? [],
  };
}

/** Sends a trace again to the destination that refused it. */
export function retryRefused(traceId: string, destination: string): Promise<{ traces: number }> {
  return postJson(`api/sampling/v1/refused/${segment(traceId)}/retry`, { destination });
}

/** Sends all again that were refused until now. */
export function retryAllRefused(): Promise<{ traces: number }> {
  return postJson("api/sampling/v1/refused/retry", {});
}

export async function decision(traceId: string, signal?: AbortSignal): Promise<Decision> {
  const answer = await getJson<Decision>(`api/sampling/v1/decisions/${segment(traceId)}`, {}, signal);
  return { ...answer, votes: answer.votes ?? [] };
}

export async function alerts(signal?: AbortSignal): Promise<Alert[]> {
  return (await getJson<{ alerts: Alert[] }>("api/alerts/v1/alerts", {}, signal)).alerts ?? [];
}

export async function deliveries(signal?: AbortSignal): Promise<Delivery[]> {
  return (await getJson<{ deliveries: Delivery[] }>("api/alerts/v1/deliveries", {}, signal)).deliveries ?? [];
}

/** How the gateway is; that it is not ready is an answer too (503). */
export async function readiness(signal?: AbortSignal): Promise<Readiness> {
  const answer = await getJson<Readiness>("readyz", {}, signal, [503]);
  if (typeof answer.ready !== "boolean")
    throw new ApiError(0, "Something other than the gateway answered", "");
  return { ready: answer.ready, components: answer.components ?? [] };
}

/** An instant query of the embedded (or remote) Prometheus. */
export async function instantQuery(query: string, at: Date, signal?: AbortSignal): Promise<VectorSample[]> {
  const params = { query, time: (at.getTime() / 1000).toFixed(3) };
  const answer = await getJson<{ data: { result: VectorSample[] } }>("api/v1/query", params, signal);
  return answer.data?.result ?? [];
}

function wholeObjective(o: Objective): Objective {
  return { ...o, labels: o.labels ?? {}, burn_rates: o.burn_rates ?? [], tiers: o.tiers ?? [] };
}

function wholeSummary(s: TraceSummary): TraceSummary {
  return { ...s, services: s.services ?? [] };
}
