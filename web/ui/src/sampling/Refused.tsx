import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "../api/endpoints";
import type { Destinations, RefusedTrace } from "../api/types";
import { useAction } from "../api/useAction";
import { useNow } from "../api/usePoll";
import { Icon } from "../components/Icon";
import { useChange } from "../components/Operator";
import { TableScroll } from "../components/TableScroll";
import { Time } from "../components/Time";
import { bytes, exact, plural } from "../lib/format";
import { links } from "../router";
import {
  RetryButton,
  RetryError,
  refusalKey,
  refusedSince,
  SentAgain,
  TraceId,
  useRetry,
  Words,
} from "./SentAgain";

/** The number of refused traces before "show all". */
const TOP = 10;

/** The traces that destinations refused, each with the button that sends it again. */
export function Refused({
  destinations: { refused, refused_total },
  onChange,
}: {
  destinations: Destinations;
  onChange: () => void;
}) {
  const now = useNow(60_000);
  const [whole, showWhole] = useState(false);
  const [sent, setSent] = useState<RefusedTrace | { traces: number } | null>(null);
  const note = useRef<HTMLDivElement>(null);
  // The row goes, and with it the button that had the focus.
  useEffect(() => {
    if (sent) note.current?.focus();
  }, [sent]);
  const all = useAction(api.retryAllRefused, (result) => {
    setSent(result);
    onChange();
  });
  const change = useChange(all.busy);
  return (
    <>
      <div class="section-head refused-head">
        <h3 class="differ">
          {refused_total === 0 ? "Nothing was refused" : `${plural(refused_total, "refused trace")}`}
        </h3>
        {refused_total > 1 && (
          <button type="button" class="button" onClick={all.run} {...change}>
            {all.busy ? "Sending…" : "Retry all"}
          </button>
        )}
      </div>
      {all.error && (
        <p role="alert" class="error-text">
          Not sent again: {all.error.detail || all.error.title}
        </p>
      )}
      {sent &&
        ("traces" in sent ? (
          <AllSentAgain sent={sent} focus={note} />
        ) : (
          <SentAgain sent={sent} again={refusedSince(sent, refused)} focus={note} />
        ))}
      {refused_total > 0 && (
        <p class="faint">
          They stay here within the budget, and can be sent again once the destination takes them.
          {refused_total > refused.length &&
            ` These are the latest ${exact(refused.length)} of ${exact(refused_total)}.`}
        </p>
      )}
      {refused.length > 0 && (
        <TableScroll label="Refused traces">
          <table class="table refused">
            <thead>
              <tr>
                <th scope="col">Trace</th>
                <th scope="col">Destination</th>
                <th scope="col">Refused</th>
                <th scope="col" class="r">
                  Spans
                </th>
                <th scope="col" class="r">
                  Size
                </th>
                <th scope="col">Answer</th>
                <th scope="col">
                  <span class="sr">Retry</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {(whole ? refused : refused.slice(0, TOP)).map((r) => (
                <Row
                  key={`${refusalKey(r)} ${r.at}`}
                  refused={r}
                  now={now}
                  onSent={() => {
                    setSent(r);
                    onChange();
                  }}
                />
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
      {refused.length > TOP && (
        <button type="button" class="button more" aria-expanded={whole} onClick={() => showWhole(!whole)}>
          {whole ? `Show the latest ${TOP}` : `Show all ${refused.length}`}
        </button>
      )}
    </>
  );
}

function AllSentAgain({
  sent: { traces },
  focus,
}: {
  sent: { traces: number };
  focus: { current: HTMLDivElement | null };
}) {
  return (
    <div ref={focus} tabIndex={-1} role="status" class="notice">
      <Icon name="ok" />
      <div>
        {plural(traces, "refused trace")} {traces === 1 ? "is" : "are"} sent again.
        {traces > 0 && " Traces that are refused again are listed again."}
      </div>
    </div>
  );
}

function Row({ refused: r, now, onSent }: { refused: RefusedTrace; now: Date; onSent: () => void }) {
  const retry = useRetry(r, onSent);
  return (
    <tr>
      <th scope="row">
        <a href={links.sampling({ trace: r.trace_id })} title={r.trace_id}>
          <TraceId of={r} />
        </a>
      </th>
      <td class="nowrap to" title={`in ${r.pipeline}`}>
        {r.destination}
      </td>
      <td>
        <Time at={r.at} now={now} />
      </td>
      <td class="r num">
        {exact(r.spans)}
        <span class="unit"> {r.spans === 1 ? "span" : "spans"}</span>
      </td>
      <td class="r num nowrap">{bytes(r.bytes)}</td>
      <td class="words">
        <Words of={r} />
        <RetryError retry={retry} />
      </td>
      <td class="act">
        <RetryButton of={r} retry={retry} />
      </td>
    </tr>
  );
}
