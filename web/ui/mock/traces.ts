// Kept traces of the simulated shop: ordinary ones, and some with faults that are seen in the field.

import type { Attributes, Span, Trace, TraceSummary } from "../src/api/types";
import { hex, pick, type Random, random } from "./random.ts";

const CALLS: Record<string, [service: string, operation: string][]> = {
  frontend: [
    ["checkout", "POST /checkout"],
    ["catalog", "GET /products"],
    ["search", "GET /search"],
    ["cart", "GET /cart"],
  ],
  checkout: [
    ["payment", "Payments/Charge"],
    ["cart", "GET /cart"],
    ["shipping", "POST /quote"],
    ["fulfilment", "orders publish"],
  ],
  catalog: [
    ["postgres", "SELECT products"],
    ["recommendations", "GET /similar"],
  ],
  search: [
    ["opensearch", "POST /_search"],
    ["catalog", "GET /products"],
  ],
  cart: [["redis", "HGETALL"]],
  payment: [
    ["postgres", "INSERT charges"],
    ["bank-gateway", "POST /v1/authorize"],
  ],
  shipping: [["postgres", "SELECT rates"]],
  fulfilment: [
    ["postgres", "INSERT orders"],
    ["email", "POST /send"],
  ],
};
const ROOTS = ["POST /checkout", "GET /products", "GET /search", "GET /cart"];
const POLICIES = ["errors", "slow", "rest"];

export interface Recipe {
  id: string;
  seed: number;
  ageSeconds: number;
  spans: number;
  kind: "plain" | "skewed" | "orphans" | "big";
  error: boolean;
}

const r0 = random(42);
export const recipes: Recipe[] = Array.from({ length: 140 }, (_, i) => ({
  id: hex(r0, 16),
  seed: i + 1,
  ageSeconds: 30 + Math.floor(i * i * 1.4 + r0() * 60),
  spans: 4 + Math.floor(r0() * 40),
  kind: i === 2 ? "skewed" : i === 4 ? "orphans" : i === 6 || i === 8 ? "big" : "plain",
  error: i === 2 || i === 4 || r0() < 0.3,
}));
recipes[2].spans = 34;
recipes[2].seed = 1234;
recipes[6].spans = 5000;
recipes[8].spans = 50000;

/** Traces that were not kept: those that no policy sampled, that one dropped, and that waits for its decision. */
export const [NOT_KEPT, DROPPED, PENDING] = Array.from({ length: 3 }, () => hex(r0, 16));

const BASE = Math.floor(Date.now() / 1000);

interface Draft {
  span: Span;
  kids: Draft[];
  start: number;
  end: number;
}

/** Builds the trace of a recipe, the same each time. */
export function trace(recipe: Recipe): Trace {
  const r = random(recipe.seed);
  const at = BigInt(BASE - recipe.ageSeconds) * 1_000_000_000n;
  const resources: Trace["resources"] = [];
  const resourceOf = new Map<string, number>();
  const resource = (service: string) => {
    let i = resourceOf.get(service);
    if (i === undefined) {
      i = resources.length;
      resourceOf.set(service, i);
      resources.push({
        attributes: {
          "service.name": service,
          "service.version": `2.${service.length}.0`,
          "service.instance.id": hex(r, 8),
          "k8s.pod.name": `${service}-7d9f8-${hex(r, 2)}`,
          "telemetry.sdk.language": pick(r, ["go", "java", "nodejs"]),
        },
      });
    }
    return i;
  };
  let made = 0;
  const grow = (
    service: string,
    name: string,
    kind: Span["kind"],
    start: number,
    length: number,
    depth: number,
  ): Draft => {
    made++;
    const span = blank(hex(r, 8), name, service, kind);
    span.resource = resource(service);
    span.attributes = attributes(r, kind, name);
    const d: Draft = { span, kids: [], start, end: start + length };
    const targets = CALLS[service] ?? [];
    let cursor = start + length * 0.04;
    const wanted =
      recipe.kind === "big"
        ? 6 + Math.floor(r() * 14)
        : recipe.kind === "skewed"
          ? 4
          : 1 + Math.floor(r() * 3);
    for (let k = 0; k < wanted && made < recipe.spans && depth < 9 && targets.length; k++) {
      const [to, operation] = recipe.kind === "skewed" ? targets[k % targets.length] : pick(r, targets);
      const piece = Math.max(2e3, ((start + length - cursor) / Math.max(1, wanted - k)) * (0.5 + r() * 0.45));
      made++;
      const client = blank(
        hex(r, 8),
        operation,
        service,
        operation.endsWith("publish") ? "producer" : "client",
      );
      client.resource = resource(service);
      client.attributes = attributes(r, "client", operation);
      const c: Draft = { span: client, kids: [], start: cursor, end: cursor + piece };
      if (CALLS[to])
        c.kids.push(
          grow(
            to,
            operation,
            client.kind === "producer" ? "consumer" : "server",
            cursor + piece * 0.05,
            piece * 0.88,
            depth + 2,
          ),
        );
      d.kids.push(c);
      cursor += piece * (r() < 0.3 ? 0.3 : 1.02);
    }
    return d;
  };
  const length = (recipe.kind === "big" ? 4 : 0.02 + r() * r() * 2.2) * 1e9;
  const root = grow("frontend", recipe.kind === "plain" ? pick(r, ROOTS) : ROOTS[0], "server", 0, length, 0);
  // A trace that is still too small gets more requests below its root, as a page load has.
  for (let k = 0; made < recipe.spans && k < 4000; k++) {
    const from = length * (0.02 + 0.9 * r());
    const [to, operation] = pick(r, CALLS.frontend);
    root.kids.push(grow(to, operation, "server", from, (length - from) * (0.1 + 0.6 * r()), 1));
  }
  const forest = [root];
  if (recipe.kind === "orphans") forest.push(orphan(r, resource, length));
  const spans = flatten(forest, at, recipe, r);
  return wrap(recipe, spans, resources, at, length);
}

function blank(id: string, name: string, service: string, kind: Span["kind"]): Span {
  return {
    span_id: id,
    parent_id: "",
    name,
    service,
    kind,
    status: "unset",
    status_message: "",
    depth: 0,
    children: 0,
    synthetic: false,
    start_unix_nano: "0",
    end_unix_nano: "0",
    corrected_start_unix_nano: "0",
    corrected_end_unix_nano: "0",
    uncertainty_ns: null,
    duration_ns: "0",
    flags: [],
    scope: { name: `io.shop/${service}`, version: "1.4.2" },
    attributes: {},
    resource: -1,
    events: [],
    links: [],
  };
}

function attributes(r: Random, kind: string, name: string): Attributes {
  const [method, path] = name.split(" ");
  const http: Attributes = {
    "http.request.method": method,
    "http.route": path ?? name,
    "http.response.status_code": r() < 0.1 ? 404 : 200,
    "server.port": 8080,
  };
  if (/SELECT|INSERT/.test(name))
    return {
      "db.system.name": "postgresql",
      "db.query.text": `${name} WHERE sku = ANY($1) AND region = $2 ORDER BY rank LIMIT 50`,
      "db.response.returned_rows": Math.floor(r() * 50),
    };
  return kind === "client"
    ? { ...http, "network.peer.address": `10.4.${Math.floor(r() * 9)}.${Math.floor(r() * 250)}` }
    : { ...http, "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)", "enduser.tags": ["beta", "eu"] };
}

function orphan(r: Random, resource: (s: string) => number, length: number): Draft {
  const gap = blank(hex(r, 8), "missing span", "unknown", "internal");
  gap.synthetic = true;
  gap.status_message = "lost";
  const child = (name: string, at: number): Draft => {
    const s = blank(hex(r, 8), name, "email", "server");
    s.resource = resource("email");
    s.flags = ["orphan"];
    s.attributes = {
      ...attributes(r, "server", name),
      "slowburn.span.trimmed": 2_097_152,
      "slowburn.text.repaired": true,
    };
    return { span: s, kids: [], start: length * at, end: length * (at + 0.15) };
  };
  return {
    span: gap,
    kids: [child("POST /send", 0.5), child("POST /render", 0.7)],
    start: length * 0.5,
    end: length * 0.85,
  };
}

const SKEW: Record<string, number> = { payment: -180e6, shipping: 95e6, cart: 31e6 };

function flatten(forest: Draft[], at: bigint, recipe: Recipe, r: Random): Span[] {
  const out: Span[] = [];
  const nano = (t: number) => String(at + BigInt(Math.round(t)));
  const visit = (d: Draft, parent: string, depth: number) => {
    const s = d.span;
    const skew = recipe.kind === "skewed" ? (SKEW[s.service] ?? 0) : 0;
    s.parent_id = parent;
    s.depth = depth;
    s.children = d.kids.length;
    s.start_unix_nano = nano(d.start + skew);
    s.end_unix_nano = nano(d.end + skew);
    s.corrected_start_unix_nano = nano(d.start);
    s.corrected_end_unix_nano = nano(d.end);
    s.uncertainty_ns = skew ? String(Math.round((d.end - d.start) * 0.07)) : null;
    s.duration_ns = String(Math.round(d.end - d.start));
    out.push(s);
    for (const k of d.kids.sort((a, b) => a.start - b.start)) visit(k, s.span_id, depth + 1);
  };
  for (const d of forest) visit(d, "", 0);
  if (recipe.error)
    for (let k = 0; k < Math.max(1, out.length / 200); k++)
      fail(out, 1 + Math.floor(r() * (out.length - 1)), r);
  if (recipe.kind === "skewed")
    out[out.length - 1].links = [
      {
        trace_id: recipes[0].id,
        span_id: "00f067aa0ba902b7",
        attributes: { "messaging.message.id": "m-1" },
        kept: true,
      },
      { trace_id: hex(r, 16), span_id: hex(r, 8), attributes: {}, kept: false },
    ];
  return out;
}

function fail(spans: Span[], i: number, r: Random) {
  const s = spans[i];
  if (!s || s.synthetic) return;
  s.status = "error";
  s.status_message = pick(r, ["context deadline exceeded", "connection refused", "card declined by issuer"]);
  s.attributes["error.type"] = pick(r, ["timeout", "504", "java.net.SocketTimeoutException"]);
  s.events = [
    {
      name: "exception",
      time_unix_nano: s.end_unix_nano,
      attributes: {
        "exception.type": "TimeoutError",
        "exception.message": s.status_message,
        "exception.stacktrace":
          "TimeoutError: no answer\n    at charge (payment.js:42)\n    at handle (server.js:17)",
      },
    },
  ];
  if (s.parent_id && r() < 0.7) {
    const p = spans.findIndex((x) => x.span_id === s.parent_id);
    if (p > 0) fail(spans, p, r);
  }
}

function wrap(
  recipe: Recipe,
  spans: Span[],
  resources: Trace["resources"],
  at: bigint,
  length: number,
): Trace {
  const by = new Map<string, { name: string; spans: number; errors: number }>();
  for (const s of spans) {
    if (s.synthetic) continue;
    const e = by.get(s.service) ?? { name: s.service, spans: 0, errors: 0 };
    e.spans++;
    if (s.status === "error") e.errors++;
    by.set(s.service, e);
  }
  const errors = spans.filter((s) => s.status === "error").length;
  const policy = errors ? "errors" : length > 1e9 ? "slow" : POLICIES[2];
  const summary: TraceSummary = {
    trace_id: recipe.id,
    root_service: spans[0].service,
    root_operation: spans[0].name,
    start: new Date(Number(at / 1_000_000n)).toISOString(),
    start_unix_nano: String(at),
    duration_ms: length / 1e6,
    span_count: spans.length,
    error_count: errors,
    services: [...by.values()],
    policy,
    adjusted_count: policy === "rest" ? 20 : 1,
    complete: recipe.kind !== "orphans",
  };
  const skewed = recipe.kind === "skewed";
  return {
    trace_id: recipe.id,
    summary,
    kept: {
      policy,
      threshold: policy === "rest" ? "f333333333333" : "0",
      adjusted_count: summary.adjusted_count,
      late_spans: skewed ? 2 : 0,
    },
    marks: {
      revived: skewed,
      linked_trace_id: skewed ? recipes[0].id : "",
      trimmed_spans: recipe.kind === "orphans" ? 120 : 0,
      text_repaired: recipe.kind === "orphans",
    },
    clock: {
      status: skewed ? "bounded" : "none",
      clocks: skewed
        ? [
            { name: "frontend @ 3f1c", offset_ns: "0", uncertainty_ns: "0", pairs: 6, status: "none" },
            {
              name: "payment @ 77aa",
              offset_ns: "180000000",
              uncertainty_ns: "2100000",
              pairs: 2,
              status: "bounded",
            },
            {
              name: "shipping @ 09bd",
              offset_ns: "-95000000",
              uncertainty_ns: null,
              pairs: 1,
              status: "one_sided",
            },
          ]
        : [],
    },
    orphans: recipe.kind === "orphans" ? 2 : 0,
    duplicates: 0,
    warnings:
      recipe.kind === "orphans"
        ? [
            "1 span that others name as their parent never arrived: lost, because service email kept its part of other traces whole",
          ]
        : [],
    spans,
    resources,
  };
}

let summaries: TraceSummary[] | null = null;

export function search(q: URLSearchParams): { traces: TraceSummary[]; next_cursor: string } {
  summaries ??= recipes.map((x) => trace(x).summary).sort((a, b) => b.start.localeCompare(a.start));
  const ms = (text: string | null) =>
    text ? Number.parseFloat(text) * (text.endsWith("ms") ? 1 : text.endsWith("s") ? 1000 : 1) : null;
  const min = ms(q.get("min_duration")) ?? 0;
  const max = ms(q.get("max_duration")) ?? Infinity;
  const found = summaries.filter(
    (s) =>
      (!q.get("service") || s.services.some((x) => x.name === q.get("service"))) &&
      (!q.get("operation") || s.root_operation === q.get("operation")) &&
      (q.get("error") !== "true" || s.error_count > 0) &&
      (!q.get("policy") || s.policy === q.get("policy")) &&
      s.duration_ms >= min &&
      s.duration_ms <= max &&
      s.start >= (q.get("start") ?? "") &&
      s.start <= (q.get("end") ?? "9"),
  );
  const from = Number(q.get("cursor") ?? 0);
  const limit = Number(q.get("limit") ?? 20);
  return {
    traces: found.slice(from, from + limit),
    next_cursor: from + limit < found.length ? String(from + limit) : "",
  };
}

/** The newest traces with an error, as an objective's page lists them. */
export function badTraces(q: URLSearchParams) {
  const limit = Number(q.get("limit") ?? 3);
  return search(new URLSearchParams({ error: "true", limit: "200" }))
    .traces.slice(0, limit)
    .map((s) => {
      const span = trace(recipes.find((x) => x.id === s.trace_id) as (typeof recipes)[0]).spans[0];
      return {
        trace_id: s.trace_id,
        span_id: span.span_id,
        at: s.start,
        service: s.root_service,
        operation: s.root_operation,
        version: "1.9.1",
        reason: "503",
        duration_ms: s.duration_ms,
      };
    });
}

export function services() {
  const operations = new Map<string, Set<string>>();
  for (const targets of Object.values(CALLS))
    for (const [s, o] of targets) operations.set(s, (operations.get(s) ?? new Set()).add(o));
  operations.set("frontend", new Set(ROOTS));
  return {
    services: [...operations]
      .map(([name, o]) => ({ name, operations: [...o].sort() }))
      .sort((a, b) => a.name.localeCompare(b.name)),
  };
}
