import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "../api/endpoints";
import type { Destinations, RefusedTrace } from "../api/types";
import { useAction } from "../api/useAction";
import { useNow } from "../api/usePoll";
import { Icon } from "../components/Icon";
import { TableScroll } from "../components/TableScroll";
import { Time } from "../components/Time";
import { bytes, exact, plural } from "../lib/format";
import { links } from "../router";

/** The traces that destinations refused, each with the button that sends it again. */
export function Refused({
  destinations: { refused, refused_total },
  onChange,
}: {
  destinations: Destinations;
  onChange: () => void;
}) {
  const now = useNow(60_000);
  const [sent, setSent] = useState<RefusedTrace | null>(null);
  const note = useRef<HTMLDivElement>(null);
  // The button that had the focus goes with its row.
  useEffect(() => {
    if (sent) note.current?.focus();
  }, [sent]);
  const again = sent && refused.find((r) => id(r) === id(sent) && r.at !== sent.at);
  return (
    <>
      <h3 class="differ">
        {refused_total === 0 ? "Nothing was refused" : `${plural(refused_total, "refused trace")}`}
      </h3>
      {sent && (
        <div ref={note} tabIndex={-1} role="status" class={again ? "notice notice-error" : "notice"}>
          <Icon name={again ? "error" : "ok"} />
          <div>
            {again ? (
              <>
                {sent.destination} refused the trace <TraceId of={sent} /> again: <Words of={again} />
              </>
            ) : (
              <>
                The trace <TraceId of={sent} /> is sent to {sent.destination} again. If that refuses it once
                more, it is listed once more.
              </>
            )}
          </div>
        </div>
      )}
      {refused_total > 0 && (
        <p class="faint">
          They stay here within the budget, and can be sent again once the destination takes them.
          {refused_total > refused.length && (
            <>
              {" "}
              These are the latest {exact(refused.length)}; <code>slowburn retry --all</code> sends all again.
            </>
          )}
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
                <th scope="col">What it said</th>
                <th scope="col">
                  <span class="sr">Retry</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {refused.map((r) => (
                <Row
                  key={`${id(r)} ${r.at}`}
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
    </>
  );
}

const id = (r: RefusedTrace) => `${r.trace_id} ${r.destination} ${r.pipeline}`;

function Row({ refused: r, now, onSent }: { refused: RefusedTrace; now: Date; onSent: () => void }) {
  const retry = useAction(
    () => api.retryRefused(r.trace_id, r.destination),
    (result) => result && onSent(),
  );
  return (
    <tr>
      <th scope="row">
        <a href={links.sampling({ trace: r.trace_id })} title={r.trace_id}>
          <TraceId of={r} />
        </a>
      </th>
      <td class="nowrap" title={`in ${r.pipeline}`}>
        {r.destination}
      </td>
      <td>
        <Time at={r.at} now={now} />
      </td>
      <td class="r num">{exact(r.spans)}</td>
      <td class="r num nowrap">{bytes(r.bytes)}</td>
      <td class="words">
        <Words of={r} />
        {retry.error && (
          <p role="alert" class="error-text">
            Not sent again: {retry.error.detail || retry.error.title}
          </p>
        )}
      </td>
      <td class="act">
        <button type="button" class="button" onClick={retry.run} disabled={retry.busy}>
          {retry.busy ? "Sending…" : "Retry"}
          <span class="sr">
            {" "}
            trace {r.trace_id.slice(0, 16)} to {r.destination}
          </span>
        </button>
      </td>
    </tr>
  );
}

function TraceId({ of: r }: { of: RefusedTrace }) {
  return <code>{r.trace_id.slice(0, 16)}</code>;
}

/** The destination's own words. */
function Words({ of: r }: { of: RefusedTrace }) {
  return (
    <>
      {r.code && <code>{r.code}</code>} {r.text && <q>{r.text}</q>}
    </>
  );
}
