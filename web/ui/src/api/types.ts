// The JSON that the gateway serves under api/. Times are RFC 3339; *_unix_nano and *_ns are decimal strings, because
// nanoseconds since 1970 do not fit a JavaScript number. null stands for "undefined", e.g. a ratio of no events.

export type Severity = "page" | "ticket";
export type Policy = "normal" | "cautious" | "freeze" | "exhausted";
export type AlertState = "inactive" | "pending" | "firing" | "resolved";

/** Who reads, and whether changes are taken from them. */
export interface Caller {
  subject: string;
  address: string;
  operator: boolean;
  /** Why not; empty for an operator. */
  why: string;
}

export interface Indicator {
  type: "availability" | "latency" | "promql";
  service?: string;
  kind?: string;
  operations?: string[];
  attributes?: Record<string, string>;
  threshold_ms?: number;
  bad_query?: string;
  total_query?: string;
}

export interface BurnRate {
  window: string;
  window_seconds: number;
  total: number;
  bad: number;
  error_ratio: number | null;
  burn_rate: number | null;
}

export interface Tier {
  severity: Severity;
  long_window: string;
  short_window: string;
  factor: number;
  budget_percent: number;
  long_burn_rate: number | null;
  short_burn_rate: number | null;
  active: boolean;
  reachable: boolean;
  exhaustion_seconds: number | null;
}

export interface Budget {
  /** 1 without events, negative when overspent. */
  remaining_ratio: number;
  remaining_percent: number;
  allowed_events: number;
  remaining_events: number;
  total_minutes: number;
  remaining_minutes: number;
  policy: Policy;
}

export interface ObjectiveAlert {
  state: AlertState;
  severity: Severity | "";
  since: string | null;
  summary: string;
}

export interface Objective {
  name: string;
  description: string;
  service: string;
  labels: Record<string, string>;
  indicator: Indicator;
  /** A ratio: 0.999 for 99.9 %. */
  target: number;
  window: string;
  window_seconds: number;
  evaluated_until: string | null;
  /** Until when anything was measured: where the state is no_data, events and budget are as of then. */
  last_measured_at: string | null;
  state: "ok" | "no_data" | "error";
  message: string;
  events: { total: number; bad: number };
  error_ratio: number | null;
  budget: Budget;
  burn_rates: BurnRate[];
  tiers: Tier[];
  alert: ObjectiveAlert;
  /** Since when counts would not survive a crash, and why; empty if they would. */
  volatile_counts: string;
  /** When counts of before were not taken up, and why, for a day; empty if they were. */
  lost_counts: string;
}

export interface Objectives {
  evaluated_until: string | null;
  /** Null while the first evaluation runs. */
  next_evaluation_at: string | null;
  objectives: Objective[];
}

export interface HistoryPoint {
  time: string;
  total: number;
  bad: number;
  error_ratio: number | null;
  budget_remaining_ratio: number | null;
  burn_rates: Record<string, number | null>;
}

export interface History {
  step_seconds: number;
  points: HistoryPoint[];
}

/** A port of an otlp receiver. */
export interface Endpoint {
  receiver: string;
  protocol: "grpc" | "http";
  /** host:port; the host is 0.0.0.0 or :: where it listens on all addresses. */
  address: string;
  tls: boolean;
}

export interface TraceServices {
  services: { name: string; operations: string[] }[];
}

export interface TraceSummary {
  trace_id: string;
  root_service: string;
  root_operation: string;
  start: string;
  start_unix_nano: string;
  duration_ms: number;
  span_count: number;
  error_count: number;
  services: { name: string; spans: number; errors: number }[];
  policy: string;
  adjusted_count: number;
  complete: boolean;
}

export interface TraceSearch {
  traces: TraceSummary[];
  next_cursor: string;
}

export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | AttributeValue[]
  | { [k: string]: AttributeValue };
export type Attributes = Record<string, AttributeValue>;

export interface Span {
  span_id: string;
  parent_id: string;
  name: string;
  service: string;
  kind: string;
  status: "unset" | "ok" | "error";
  status_message: string;
  depth: number;
  children: number;
  synthetic: boolean;
  start_unix_nano: string;
  end_unix_nano: string;
  corrected_start_unix_nano: string;
  corrected_end_unix_nano: string;
  uncertainty_ns: string | null;
  duration_ns: string;
  flags: string[];
  scope: { name: string; version: string };
  attributes: Attributes;
  /** Index into Trace.resources, -1 for a synthetic span. */
  resource: number;
  events: { name: string; time_unix_nano: string; attributes: Attributes }[];
  links: { trace_id: string; span_id: string; attributes: Attributes; kept: boolean }[];
}

export interface TraceClock {
  name: string;
  offset_ns: string;
  uncertainty_ns: string | null;
  pairs: number;
  status: string;
}

export interface Trace {
  trace_id: string;
  summary: TraceSummary;
  kept: { policy: string; threshold: string; adjusted_count: number; late_spans: number };
  marks: {
    /** It was not sampled, and then sampled because of spans that came late. */
    revived: boolean;
    /** The trace for which it was kept, as a link connects them; else empty. */
    linked_trace_id: string;
    /** Left out, as the trace was too large. */
    trimmed_spans: number;
    /** A resource or scope had text that was not UTF-8. */
    text_repaired: boolean;
  };
  clock: { status: "none" | "bounded" | "one_sided" | "step" | "residual"; clocks: TraceClock[] };
  orphans: number;
  duplicates: number;
  warnings: string[];
  /** Preorder of the forest: a span's subtree follows it. */
  spans: Span[];
  resources: { attributes: Attributes }[];
}

export interface SamplingStatus {
  traces_pending: number;
  spans_buffered: number;
  bytes_buffered: number;
  memory_budget_bytes: number;
  oldest_undecided_seconds: number;
  traces_undelivered: number;
  decided: { sampled: number; not_sampled: number; dropped: number };
  late_spans: { kept: number; dropped: number; errors_dropped: number };
  refused_spans: number;
  /** Spans that the next stage refused for good. */
  failed_spans: number;
  early_decisions: number;
  storage: "memory" | "disk";
  disk_bytes: number;
  disk_budget_bytes: number;
  /** Files of the span log. */
  segments: number;
  /** Spans that were read back at the start. */
  recovered_spans: number;
  /** Spans that were acknowledged and are gone; 0 unless a disk is damaged. */
  lost_spans: number;
  /** Spans that were left out of giant traces. */
  trimmed_spans: number;
  policies: {
    name: string;
    type: string;
    sampled_traces: number;
    sampled_spans: number;
    dropped_traces: number;
  }[];
}

export interface Amount {
  traces: number;
  spans: number;
  bytes: number;
}

/** What policies and services bring and take, since the start. */
export interface SamplingCost {
  policies: PolicyCost[];
  services: ServiceCost[];
}

export interface PolicyCost {
  name: string;
  type: string;
  /** Of all traces, in percent: what a probabilistic policy is to sample. */
  percentage?: number;
  sampled: Amount;
  dropped: Amount;
  /** What it is for at all, whether it then passed the threshold or not. */
  matched: Amount;
  /** What would not be kept without it. */
  alone: Amount;
}

export interface ServiceCost {
  /** "__other__" is all after the first thousand. */
  service: string;
  spans_in: number;
  bytes_in: number;
  spans_kept: number;
  bytes_kept: number;
}

export interface PolicyInfo {
  name: string;
  type: string;
}

/** The policies that decide now. */
export interface Policies {
  /** 1 at the start, one more with each change. */
  version: number;
  since: string;
  policies: PolicyInfo[];
  shadow?: PolicyInfo[];
  /** They were the shadow's, which the configuration does not say yet. */
  promoted: boolean;
  /** Of a promotion: how to make it last. */
  note?: string;
  /** Other keys of tail_sampling that were changed in the configuration. */
  needs_restart?: string[];
  /** Why the last reload failed, if it did. */
  last_error?: { at: string; detail: string };
}

export type Verdict = "sampled" | "not_sampled" | "dropped";

/** What the shadow's policies would keep of the same traces, since this version of the policies. */
export interface Shadow {
  policy_version: number;
  since: string;
  sampled: Amount;
  not_sampled: Amount;
  dropped: Amount;
  policies: { name: string; type: string; sampled: Amount; dropped: Amount }[];
  only_shadow: Amount;
  only_real: Amount;
  /** The latest traces that only one of the two would keep, the latest first. */
  differences: { trace_id: string; decided_at: string; shadow: Verdict; real: Verdict }[];
}

export interface PolicyVote extends PolicyInfo {
  /** The trace is one that the policy is for. */
  matched: boolean;
  /** The policy samples it or, of type drop, drops it. */
  acted: boolean;
}

/** Why a trace was kept, or not. */
export interface Decision {
  trace_id: string;
  verdict: Verdict;
  /** The first policy that sampled or dropped it. */
  policy?: string;
  composite_policy?: string;
  policy_version: number;
  first_span_at: string;
  decided_at: string;
  /** What made the decision due, as in metrics, and the same in a sentence. */
  trigger: string;
  reason: string;
  early: boolean;
  completeness: {
    root_seen: boolean;
    errors: boolean;
    spans: number;
    bytes: number;
    late_spans: number;
    duration_seconds: number;
  };
  /** 14 hexadecimal digits each; a trace passes a threshold that is not above its randomness. */
  threshold?: string;
  randomness: string;
  adjusted_count?: number;
  votes: PolicyVote[];
  shadow?: { verdict: Verdict; policy?: string };
}

export type DestinationState = "delivering" | "slow" | "retrying" | "refuses_gateway";
export type AnswerClass = "accepted" | "retry" | "too_large" | "data" | "gateway" | "either";

/** Where kept traces go, and which were refused. */
export interface Destinations {
  destinations: Destination[];
  /** What was refused for good and is still here, the latest first; of many only the latest. */
  refused: RefusedTrace[];
  refused_total: number;
  budget_bytes: number;
  used_bytes: number;
  when_full: string;
}

/** How delivery to one destination goes; counts are since the start. */
export interface Destination {
  /** An exporter's ID or, where spans go decoded, the pipeline's. */
  destination: string;
  pipeline: string;
  bytes: boolean;
  exporters: string[];
  state: DestinationState;
  /** `seconds` is the age of the oldest decision. */
  backlog: Amount & { seconds: number };
  share_bytes: number;
  last_answer: { at: string; class: AnswerClass; code: string; text: string } | null;
  retry_at: string | null;
  refuses_since: string | null;
  delivered_traces: number;
  delivered_spans: number;
  retries: number;
  /** Not stored, although the request was accepted (partial success), and what was said of them last. */
  rejected_spans: number;
  rejected_why: string;
  refused_traces: number;
  /** Wait apart, because each try of them fails. */
  apart_traces: number;
  /** Given up: the budget or the patience was used up. */
  undelivered_traces: number;
  undelivered_spans: number;
}

/** A trace, or a late part of one, that a destination refused for good. */
export interface RefusedTrace {
  trace_id: string;
  destination: string;
  pipeline: string;
  spans: number;
  bytes: number;
  at: string;
  code: string;
  text: string;
}

/** What /readyz answers; without credentials there are no components. */
export interface Readiness {
  ready: boolean;
  components: ComponentHealth[];
}

export interface ComponentHealth {
  id: string;
  ok: boolean;
  /** The gateway takes no spans while this is not ok. */
  blocking: boolean;
  message: string;
  /** What to set up, though nothing is wrong. */
  advice?: string;
}

export interface Alert {
  id: string;
  objective: string;
  service: string;
  state: AlertState;
  severity: Severity | "";
  starts_at: string;
  ends_at: string | null;
  updated_at: string;
  summary: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface Delivery {
  id: string;
  idempotency_key: string;
  receiver: string;
  objective: string;
  transition: "firing" | "escalated" | "resolved";
  state: "pending" | "delivered" | "dead";
  attempts: number;
  created_at: string;
  next_attempt_at: string | null;
  delivered_at: string | null;
  last_error: string;
}

/** One series of an instant query of Prometheus' HTTP API. */
export interface VectorSample {
  metric: Record<string, string>;
  value: [number, string];
}
