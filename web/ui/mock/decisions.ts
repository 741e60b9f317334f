// Decisions about traces of the simulated shop.

import type { Decision } from "../src/api/types";
import { DROPPED, NOT_KEPT, PENDING, type Recipe, recipes, trace } from "./traces.ts";

const TYPES = { errors: "status_code", slow: "latency", "health-checks": "drop", rest: "probabilistic" };
const THRESHOLD = "f3333333333333";

/** The decision about a trace; null if none is known: undecided has the sentence for that. */
export function decision(id: string): Decision | null {
  const recipe = recipes.find((x) => x.id === id);
  if (recipe) return ofKept(recipe);
  if (id === NOT_KEPT) return { ...bare(id), shadow: { verdict: "sampled", policy: "fair-share" } };
  if (id === DROPPED)
    return {
      ...bare(id),
      verdict: "dropped",
      policy: "health-checks",
      trigger: "root",
      reason: "its root was in and no span had come for decision_wait_after_root_received",
      completeness: { ...bare(id).completeness, spans: 1, bytes: 351, duration_seconds: 0.0004 },
      votes: votes("health-checks", false),
    };
  return null;
}

export function undecided(id: string): string {
  return id === PENDING
    ? `The trace ${id} is not decided yet: its first span came at ${ago(4)}, and so far it has 3 spans of 1840 bytes, ` +
        "the root not included, errors not included. Ask again later."
    : `No trace ${id} is known: it never came here, or its decision was so long ago that it is forgotten (see ` +
        "tail_sampling::explain and decision_cache).";
}

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

/** A trace that no policy sampled. */
function bare(id: string): Decision {
  return {
    trace_id: id,
    state: "decided",
    verdict: "not_sampled",
    policy_version: 3,
    first_span_at: ago(72.3),
    decided_at: ago(62.3),
    trigger: "time",
    reason: "decision_wait was over",
    early: false,
    completeness: {
      root_seen: true,
      errors: false,
      spans: 17,
      bytes: 9_231,
      late_spans: 0,
      duration_seconds: 0.2134,
    },
    randomness: "2a61d87fe40b19",
    votes: votes("", true),
  };
}

function ofKept(recipe: Recipe): Decision {
  const { kept, marks, summary } = trace(recipe);
  const rest = kept.policy === "rest";
  return {
    ...bare(recipe.id),
    verdict: "sampled",
    policy: kept.policy,
    decided_at: ago(recipe.ageSeconds - 3),
    first_span_at: ago(recipe.ageSeconds),
    early: recipe.kind === "big",
    ...(marks.linked_trace_id ? { linked_trace_id: marks.linked_trace_id } : {}),
    ...(marks.revived
      ? { trigger: "revived", reason: "late spans, within revive_window, made a policy sample it" }
      : {}),
    ...(recipe.kind === "big" ? { trigger: "size", reason: "it had twice maximum_trace_size_bytes" } : {}),
    completeness: {
      root_seen: recipe.kind !== "orphans",
      errors: summary.error_count > 0,
      spans: summary.span_count,
      bytes: summary.span_count * 540,
      late_spans: kept.late_spans,
      duration_seconds: summary.duration_ms / 1000,
    },
    threshold: rest ? THRESHOLD : "00000000000000",
    randomness: rest ? "f9c07a61e5d203" : "5be2970c11f8aa",
    adjusted_count: rest ? 20 : 1,
    votes: votes(kept.policy, rest),
    shadow: rest ? { verdict: "not_sampled" } : { verdict: "sampled", policy: "errors" },
  };
}

/** The votes of the policies where `by` decided; rest matches every trace that is not dropped, and samples one of 20. */
function votes(by: string, restMatched: boolean): Decision["votes"] {
  return Object.entries(TYPES).map(([name, type]) => ({
    name,
    type,
    matched: name === by || (name === "rest" && (restMatched || by !== "health-checks")),
    acted: name === by,
  }));
}
