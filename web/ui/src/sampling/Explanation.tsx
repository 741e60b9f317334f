import type { Decision, PolicyVote } from "../api/types";
import { useNow } from "../api/usePoll";
import { CopyButton } from "../components/CopyButton";
import { Fact } from "../components/Fact";
import { TableScroll } from "../components/TableScroll";
import { Time } from "../components/Time";
import { bytes, count, durationSeconds } from "../lib/format";
import { links } from "../router";
import { outcome, shadowSentence, verdictSentence } from "./words";

/** The record of one decision. */
export function Explanation({ decision: d }: { decision: Decision }) {
  const [before, policy, after] = verdictSentence(d);
  return (
    <>
      <p class={`verdict verdict-${d.verdict}`}>
        {before}
        {policy && <b>{policy}</b>}
        {after}
      </p>
      {d.early && (
        <p>
          <span class="chip chip-warn">early</span> Decided before its wait was over: spans that came later
          did not count.
        </p>
      )}
      <Facts decision={d} />
      {d.votes.length > 0 ? (
        <Votes decision={d} />
      ) : (
        <p class="faint">The votes of the policies are no longer stored.</p>
      )}
      {d.verdict === "sampled" && (
        <a class="button" href={links.trace(d.trace_id)}>
          Open the trace
        </a>
      )}
    </>
  );
}

function Facts({ decision: d }: { decision: Decision }) {
  const now = useNow(60_000);
  const c = d.completeness;
  const waited = (Date.parse(d.decided_at) - Date.parse(d.first_span_at)) / 1000;
  const shadow = shadowSentence(d);
  return (
    <dl class="facts">
      <Fact name="Trace">
        <code>{d.trace_id}</code> <CopyButton text={d.trace_id} label="Copy the trace ID" />
      </Fact>
      <Fact name="Decided">
        <Time at={d.decided_at} now={now} millis />{" "}
        <span class="faint num nowrap">{durationSeconds(waited)} after its first span</span>
      </Fact>
      {d.linked_trace_id && (
        <Fact name="Kept for its link with">
          <a href={links.trace(d.linked_trace_id)} title={d.linked_trace_id}>
            <code>{d.linked_trace_id.slice(0, 16)}</code>
          </a>
        </Fact>
      )}
      {d.trigger === "revived" && (
        <Fact name="Revived">
          <span class="chip">revived</span> not kept at first, but after a late span came
        </Fact>
      )}
      <Fact name="Root">{c.root_seen ? "came" : <span class="text-ticket">has not come</span>}</Fact>
      <Fact name="Spans">
        <b class="num">{count(c.spans)}</b>
      </Fact>
      <Fact name="Errors">{c.errors ? <span class="error-text">yes</span> : "none"}</Fact>
      <Fact name="Late spans">
        <span class={c.late_spans > 0 ? "num text-ticket" : "num"}>{count(c.late_spans)}</span>
      </Fact>
      <Fact name="Size">
        <span class="num">{bytes(c.bytes)}</span>
      </Fact>
      <Fact name="Duration">
        <span class="num">{durationSeconds(c.duration_seconds)}</span>
      </Fact>
      <Fact name="Policy version">
        <span class="num">{d.policy_version}</span>
      </Fact>
      <Fact name="Randomness">
        <code title="The trace's randomness: rv in the W3C tracestate">{d.randomness}</code>
      </Fact>
      {d.threshold && (
        <Fact name="Threshold passed">
          <code title="The least randomness that is sampled: th in the W3C tracestate">{d.threshold}</code>
        </Fact>
      )}
      {shadow && <Fact name="Shadow">{shadow}</Fact>}
    </dl>
  );
}

function Votes({ decision: d }: { decision: Decision }) {
  return (
    <TableScroll label="Votes of the policies">
      <table class="table nowrap votes">
        <thead>
          <tr>
            <th scope="col">Policy</th>
            <th scope="col">Matched</th>
            <th scope="col">Outcome</th>
            <th scope="col">Type</th>
          </tr>
        </thead>
        <tbody>
          {d.votes.map((v) => (
            <Vote key={v.name} decision={d} vote={v} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function Vote({ decision: d, vote: v }: { decision: Decision; vote: PolicyVote }) {
  const [matched, came] = outcome(d, v);
  const decisive = v.name === d.policy;
  return (
    <tr class={decisive ? "decisive" : ""}>
      <th scope="row">{v.name}</th>
      <td class={v.matched ? "" : "faint"}>{matched}</td>
      <td class={v.acted ? "" : "faint"}>
        {came}
        {decisive && <span class="chip">decided</span>}
      </td>
      <td>
        <code>{v.type}</code>
      </td>
    </tr>
  );
}
