// Why there is no kept trace, from the counts.

import type { SamplingCost, SamplingStatus } from "../api/types";
import { count, durationSeconds, plural, significant } from "../lib/format";

export interface Why {
  /** No span came: the page says how to send some. */
  nothingCame: boolean;
  title: string;
  sentences: string[];
}

/** The reason why a search without conditions finds no trace. */
export function whyNone(status: SamplingStatus, cost: SamplingCost): Why {
  const { sampled, not_sampled, dropped } = status.decided;
  const decided = sampled + not_sampled + dropped;
  const wait =
    status.traces_pending > 0
      ? [
          `${plural(status.traces_pending, "trace waits", "traces wait")} for a decision, ` +
            `the oldest for ${durationSeconds(status.oldest_undecided_seconds)}.`,
        ]
      : [];
  if (decided === 0 && status.traces_pending === 0) {
    const came = cost.services.some((s) => s.spans_in > 0);
    return {
      nothingCame: !came,
      title: came ? "No trace has been decided yet" : "No span has come yet",
      sentences: [],
    };
  }
  if (decided === 0) return { nothingCame: false, title: "No trace has been decided yet", sentences: wait };
  if (sampled === 0)
    return {
      nothingCame: false,
      title: `${plural(decided, "trace")} came, none was kept`,
      sentences: [
        ...shares(cost),
        ...(dropped > 0 ? [`${count(dropped)} were dropped by a policy.`] : []),
        ...wait,
      ],
    };
  return {
    nothingCame: false,
    title: "No kept trace is in this range",
    sentences: [
      `${count(sampled)} of ${plural(decided, "trace")} were kept since the start. Widen the time range. ` +
        "When the trace store is full, its oldest traces are deleted.",
      ...wait,
    ],
  };
}

/** Types of policies whose answer depends on the trace alone, not on chance or on a rate. */
const certain = new Set([
  "boolean_attribute",
  "critical_path_ms",
  "drop",
  "failure_mode",
  "latency",
  "numeric_attribute",
  "orphans",
  "ottl_condition",
  "retries",
  "span_count",
  "status_code",
  "string_attribute",
  "trace_flags",
  "trace_state",
]);

/** The share of ordinary traces that the policies keep. */
function shares({ policies }: SamplingCost): string[] {
  const rules = policies.filter((p) => p.type === "rule");
  if (rules.length > 0)
    return rules.map((p) =>
      p.percentage === undefined
        ? `The rule ${p.name} keeps as many of its traces as its rate lets through.`
        : `The rule ${p.name} keeps ${significant(p.percentage, 3)} % of the traces that it is the first to match.`,
    );
  const random = policies.filter((p) => p.percentage !== undefined);
  if (random.length > 0)
    return random.map(
      (p) => `The policy ${p.name} keeps ${significant(p.percentage ?? 0, 3)} % of ordinary traces.`,
    );
  if (policies.some((p) => !certain.has(p.type))) return [];
  return ["No policy samples a share of ordinary traces: only traces that match a policy are kept."];
}
