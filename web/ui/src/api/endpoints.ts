// One function per API call. They return answers as the contract describes them: a list is always there, and never null.

import { ApiError, getJson, postJson } from "./client";
import type {
  Alert,
  Alerts,
  Breakdown,
  Caller,
  Decision,
  Deliveries,
  Delivery,
  Destinations,
  Dimension,
  Endpoint,
  Endpoints,
  History,
  Objective,
  ObjectiveTrace,
  ObjectiveTraces,
  Overview,
  Policies,
  Problem,
  Readiness,
  Retried,
  SamplingCost,
  SamplingStatus,
  Service,
  Services,
  Shadow,
  Trace,
  TracePage,
} from "./types";

const segment = encodeURIComponent;

/** The caller as whom the gateway knows this reader. */
export function caller(signal?: AbortSignal): Promise<Caller> {
  return getJson("api/access/v1/me", {}, signal);
}

export interface OverviewQuery {
  q?: string;
  urgency?: string;
  service?: string[];
  label?: string[];
  limit?: number;
  cursor?: string;
}

/** A page of objectives as rows, the most urgent first. */
export function overview(query: OverviewQuery, signal?: AbortSignal): Promise<Overview> {
  return getJson("api/slo/v1/overview", { ...query }, signal);
}

export function objective(name: string, signal?: AbortSignal): Promise<Objective> {
  return getJson(`api/slo/v1/objectives/${segment(name)}`, {}, signal);
}

export async function objectiveTraces(name: string, signal?: AbortSignal): Promise<ObjectiveTrace[]> {
  const path = `api/slo/v1/objectives/${segment(name)}/traces`;
  return (await getJson<ObjectiveTraces>(path, {}, signal)).traces;
}

export function history(
  name: string,
  range: { start: Date; end: Date; step: number },
  signal?: AbortSignal,
): Promise<History> {
  const params = { start: range.start.toISOString(), end: range.end.toISOString(), step: range.step };
  return getJson(`api/slo/v1/objectives/${segment(name)}/history`, params, signal);
}

/** What burned an objective's budget; without a range since its alert began, or in the last hour. */
export function breakdown(
  name: string,
  by: Dimension,
  range: { start: Date; end: Date } | null,
  signal?: AbortSignal,
): Promise<Breakdown> {
  const params = range ? { by, start: range.start.toISOString(), end: range.end.toISOString() } : { by };
  return getJson(`api/slo/v1/objectives/${segment(name)}/breakdown`, params, signal);
}

export async function traceServices(signal?: AbortSignal): Promise<Service[]> {
  return (await getJson<Services>("api/traces/v1/services", {}, signal)).services;
}

export async function endpoints(signal?: AbortSignal): Promise<Endpoint[]> {
  return (await getJson<Endpoints>("api/traces/v1/endpoints", {}, signal)).endpoints;
}

export interface TraceQuery {
  service?: string;
  operation?: string;
  min_duration?: string;
  max_duration?: string;
  error?: boolean;
  match?: "span" | "trace";
  policy?: string;
  start: string;
  end: string;
  limit: number;
  cursor?: string;
}

export function searchTraces(query: TraceQuery, signal?: AbortSignal): Promise<TracePage> {
  return getJson("api/traces/v1/search", { ...query }, signal);
}

export function trace(id: string, signal?: AbortSignal): Promise<Trace> {
  return getJson(`api/traces/v1/traces/${segment(id)}`, {}, signal);
}

export function samplingStatus(signal?: AbortSignal): Promise<SamplingStatus> {
  return getJson("api/sampling/v1/status", {}, signal);
}

export function samplingCost(signal?: AbortSignal): Promise<SamplingCost> {
  return getJson("api/sampling/v1/cost", {}, signal);
}

export function policies(signal?: AbortSignal): Promise<Policies> {
  return getJson("api/sampling/v1/policies", {}, signal);
}

export function reloadPolicies(): Promise<Policies> {
  return postJson("api/sampling/v1/policies/reload");
}

/** The shadow's report; null without a shadow (404). */
export async function shadow(signal?: AbortSignal): Promise<Shadow | null> {
  const answer = await getJson<Shadow | Problem>("api/sampling/v1/shadow", {}, signal, [404]);
  return "sampled" in answer ? answer : null;
}

export function promoteShadow(): Promise<Policies> {
  return postJson("api/sampling/v1/shadow/promote");
}

export function destinations(signal?: AbortSignal): Promise<Destinations> {
  return getJson("api/sampling/v1/destinations", {}, signal);
}

/** Sends a trace again to the destination that refused it. */
export function retryRefused(traceId: string, destination: string): Promise<Retried> {
  return postJson(`api/sampling/v1/refused/${segment(traceId)}/retry`, { destination });
}

/** Sends all refused traces again. */
export function retryAllRefused(): Promise<Retried> {
  return postJson("api/sampling/v1/refused/retry", {});
}

export function decision(traceId: string, signal?: AbortSignal): Promise<Decision> {
  return getJson(`api/sampling/v1/decisions/${segment(traceId)}`, {}, signal);
}

export async function alerts(signal?: AbortSignal): Promise<Alert[]> {
  return (await getJson<Alerts>("api/alerts/v1/alerts", {}, signal)).alerts;
}

export async function deliveries(signal?: AbortSignal): Promise<Delivery[]> {
  return (await getJson<Deliveries>("api/alerts/v1/deliveries", {}, signal)).deliveries;
}

/** The health of the gateway; a 503 (not ready) is an answer too. */
export async function readiness(signal?: AbortSignal): Promise<Readiness> {
  const answer = await getJson<Readiness>("readyz", {}, signal, [503]);
  if (typeof answer.ready !== "boolean")
    throw new ApiError(0, "Something other than the gateway answered", "");
  return { ready: answer.ready, components: answer.components ?? [] }; // a proxy may answer 503, too
}
