// Figures about sampling, in words.

import type {
  AnswerClass,
  Decision,
  Destination,
  DestinationState,
  Destinations,
  PolicyVote,
  SamplingStatus,
  ServiceCost,
  Shadow,
  Verdict,
} from "../api/types";
import { bytes, durationSeconds, NONE, percent, plural, significant } from "../lib/format";

/** The reasons why spans are buffered: decided traces stay until every destination has them. */
export function waiting(s: SamplingStatus): string {
  const spans = `${plural(s.spans_buffered, "span")} buffered`;
  const undecided = `${plural(s.traces_pending, "trace")} waiting for the rest of their spans`;
  const kept = `${plural(s.traces_undelivered, "kept trace")} waiting for a destination`;
  return s.traces_undelivered > 0 ? `${spans}: ${undecided}, ${kept}.` : `${spans}: ${undecided}.`;
}

/** The number of decisions that late spans changed, and of those that they still can. */
export function revived(s: SamplingStatus): string {
  const done =
    s.revived_traces === 0
      ? "No trace was revived by a late span."
      : `${plural(s.revived_traces, "trace was revived", "traces were revived")}: not kept at first, but after a late span came; counted under both.`;
  if (s.traces_revivable === 0) return done;
  const held = `the buffer holds ${bytes(s.bytes_revivable)} of their spans for revive_window`;
  return `${done} ${plural(s.traces_revivable, "trace")} that ${s.traces_revivable === 1 ? "was" : "were"} not kept can still be: ${held}.`;
}

/** The number of traces that were kept only because of a link. */
export function linked(s: SamplingStatus): string {
  if (s.linked_traces === 0) return "No trace was kept for a link alone.";
  return `${plural(s.linked_traces, "trace was", "traces were")} kept only for a link with a kept trace.`;
}

/** The number of traces that were kept only for a bad event of an objective; empty if there is none. */
export function forObjectives(s: SamplingStatus): string {
  if (s.objective_traces === 0) return "";
  return `${plural(s.objective_traces, "trace was", "traces were")} kept only for a bad event of an objective.`;
}

export const VERDICT: Record<Verdict, string> = {
  sampled: "kept",
  not_sampled: "not kept",
  dropped: "dropped",
};

/** A decision in one sentence, around the name of its policy, which may be empty. */
export function verdictSentence(d: Decision): [before: string, policy: string, after: string] {
  const due = `its decision was due because ${d.reason}.`;
  const sub = d.composite_policy ? ` (its sub-policy ${d.composite_policy})` : "";
  if (d.verdict === "sampled") return ["Kept by ", d.policy ?? "", `${sub}, ${weight(d)}; ${due}`];
  if (d.verdict === "dropped") return ["Dropped by ", d.policy ?? "", `${sub}; ${due}`];
  return [`Not kept: ${whyNot(d.votes)}; ${due}`, "", ""];
}

function weight(d: Decision): string {
  if (d.adjusted_count === undefined) return "how many traces it stands for is unknown";
  if (d.adjusted_count <= 1) return "standing for itself only";
  return `standing for ${significant(d.adjusted_count)} traces like it`;
}

function whyNot(votes: PolicyVote[]): string {
  if (votes.length === 0) return "no policy sampled it";
  const rule = votes.find((v) => v.type === RULE && v.matched);
  if (rule) return `the rule ${rule.name} decided, and does not sample it`;
  if (votes.some((v) => v.type === RULE)) return "no rule matched it";
  const short = votes.filter((v) => v.matched && v.type !== "drop").map((v) => v.name);
  if (short.length === 0) return "no policy matched it";
  return `${short.join(" and ")} matched it, but it did not pass the threshold`;
}

/** The type of rules: they are asked in their order, up to the first that matches. */
const RULE = "rule";

/** Whether a policy was asked. Drop policies come first; none is asked after one that dropped the trace, nor after a rule that decided. */
function asked(d: Decision, vote: PolicyVote): boolean {
  if (d.verdict !== "dropped") {
    const ruled = d.votes.findIndex((v) => v.type === RULE && v.matched);
    return vote.type !== RULE || ruled < 0 || d.votes.indexOf(vote) <= ruled;
  }
  const dropped = d.votes.findIndex((v) => v.name === d.policy);
  return vote.type === "drop" && d.votes.indexOf(vote) <= dropped;
}

/** Whether the policy matched the trace, and its answer. */
export function outcome(d: Decision, vote: PolicyVote): [matched: string, outcome: string] {
  if (!asked(d, vote))
    return [
      NONE,
      d.verdict === "dropped" ? "not asked: it was dropped before" : "not asked: a rule before it decided",
    ];
  if (vote.acted) return ["yes", vote.type === "drop" ? "dropped it" : "sampled it"];
  if (vote.matched && vote.type === RULE) return ["yes", "decided, and did not sample it"];
  return vote.matched ? ["yes", "did not pass the threshold"] : ["no", "did not match"];
}

/** The decision of the shadow, compared with the real one. */
export function shadowSentence(d: Decision): string {
  if (!d.shadow) return "";
  const same = d.shadow.verdict === d.verdict;
  const by = d.shadow.policy ? `, by ${d.shadow.policy}` : "";
  return `${same ? "the same" : "different"}: ${VERDICT[d.shadow.verdict]}${by}`;
}

/** The traces that the deciding policies kept of those that the shadow was asked about. */
export function realSampled(s: Shadow): Shadow["sampled"] {
  const of = (key: keyof Shadow["sampled"]) => s.sampled[key] - s.only_shadow[key] + s.only_real[key];
  return { traces: of("traces"), spans: of("spans"), bytes: of("bytes") };
}

/** The relative difference of b to a, negative if b is less; null if a is 0. */
export function change(a: number, b: number): number | null {
  return a > 0 ? b / a - 1 : null;
}

/**
 * The share of the bytes that was kept, 0 to 1; null if more was kept than came in: after a restart, spans from before
 * it are passed on.
 */
export function keptShare(s: Pick<ServiceCost, "bytes_in" | "bytes_kept">): number | null {
  return s.bytes_in > 0 && s.bytes_kept <= s.bytes_in ? s.bytes_kept / s.bytes_in : null;
}

/** The services, the most bytes first. */
export function byBytesIn(services: ServiceCost[]): ServiceCost[] {
  return [...services].sort((a, b) => b.bytes_in - a.bytes_in || a.service.localeCompare(b.service));
}

export function serviceName(s: ServiceCost): string {
  return s.service === "__other__" ? "all others" : s.service;
}

/** The state of the delivery to a destination: the kind of its pill, and the text on it. */
export const DESTINATION_STATE: Record<
  DestinationState,
  [kind: "ok" | "pending" | "error" | "no_data", name: string]
> = {
  delivering: ["ok", "Delivering"],
  slow: ["pending", "Slow"],
  retrying: ["pending", "Retrying"],
  refuses_gateway: ["error", "Refuses the gateway"],
};

/** An answer of a destination, in a sentence that begins with "Last answer:". */
export const ANSWER: Record<AnswerClass, string> = {
  accepted: "accepted",
  retry: "not now",
  too_large: "the request is too large",
  data: "refused the spans",
  gateway: "refuses the gateway",
  either: "failed",
};

/** When a destination is tried again; empty if it is not backing off. */
export function nextTry(d: Pick<Destination, "retry_at">, now: Date): string {
  if (!d.retry_at) return "";
  const seconds = Math.ceil((Date.parse(d.retry_at) - now.getTime()) / 1000);
  return seconds > 0 ? `next try in ${durationSeconds(seconds)}` : "trying again";
}

/** The pipeline of a destination, and the form in which it gets spans. */
export function whatItTakes(
  d: Pick<Destination, "destination" | "pipeline" | "bytes" | "exporters">,
): string {
  if (d.bytes) return `in ${d.pipeline}, as bytes`;
  const exporters = d.exporters.length > 0 ? `${d.exporters.join(", ")}: ` : "";
  return d.destination === d.pipeline ? `${exporters}decoded` : `${exporters}in ${d.pipeline}, decoded`;
}

/** The part of its share that a backlog takes; unused shares of others are lent, within the budget. */
export function overShare(share: number, shareBytes: number, overBudget: boolean): string {
  if (shareBytes <= 0) return NONE;
  const rest = overBudget ? ", over the budget" : ", the rest is lent";
  return `${percent(share, 2)} of its share of ${bytes(shareBytes)}${share > 1 ? rest : ""}`;
}

/** What happens once the budget is used up. */
export function whenFull(d: Pick<Destinations, "when_full">): string {
  if (d.when_full === "refuse") return "Once it is used up, new spans are refused.";
  return "Once it is used up, a destination over its share gives up its oldest traces, those without an error first.";
}
