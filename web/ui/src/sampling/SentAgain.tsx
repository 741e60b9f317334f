import type { Ref } from "preact";
import * as api from "../api/endpoints";
import type { RefusedTrace } from "../api/types";
import { useAction } from "../api/useAction";
import { Icon } from "../components/Icon";
import { useChange } from "../components/Operator";

/** The outcome of sending a refused trace again; `again` is its refusal since. Takes the focus of its button. */
export function SentAgain({
  sent,
  again,
  focus,
}: {
  sent: RefusedTrace;
  again: RefusedTrace | undefined;
  focus: Ref<HTMLDivElement>;
}) {
  return (
    <div ref={focus} tabIndex={-1} role="status" class={again ? "notice notice-error" : "notice"}>
      <Icon name={again ? "error" : "ok"} />
      <div>
        {again ? (
          <>
            {sent.destination} refused the trace <TraceId of={sent} /> again: <Words of={again} />
          </>
        ) : (
          <>
            The trace <TraceId of={sent} /> is sent to {sent.destination} again. If it is refused again, it is
            listed here again.
          </>
        )}
      </div>
    </div>
  );
}

/** Sending a refused trace again. */
export function useRetry(r: RefusedTrace, onSent: () => void) {
  return useAction(
    () => api.retryRefused(r.trace_id, r.destination),
    (result) => result && onSent(),
  );
}

export function RetryButton({ of: r, retry }: { of: RefusedTrace; retry: ReturnType<typeof useRetry> }) {
  const change = useChange(retry.busy);
  return (
    <button type="button" class="button" onClick={retry.run} {...change}>
      {retry.busy ? "Sending…" : "Retry"}
      <span class="sr">
        {" "}
        trace {r.trace_id.slice(0, 16)} to {r.destination}
      </span>
    </button>
  );
}

export function RetryError({ retry }: { retry: Pick<ReturnType<typeof useRetry>, "error"> }) {
  if (!retry.error) return null;
  return (
    <p role="alert" class="error-text">
      Not sent again: {retry.error.detail || retry.error.title}
    </p>
  );
}

/** The key of a refusal; a later one of the same trace has another time. */
export const refusalKey = (r: RefusedTrace) => `${r.trace_id} ${r.destination} ${r.pipeline}`;

/** The refusal since a trace was sent again, if there is one. */
export function refusedSince(sent: RefusedTrace, refused: RefusedTrace[]): RefusedTrace | undefined {
  return refused.find((r) => refusalKey(r) === refusalKey(sent) && r.at !== sent.at);
}

export function TraceId({ of: r }: { of: RefusedTrace }) {
  return <code>{r.trace_id.slice(0, 16)}</code>;
}

/** The message of the destination. */
export function Words({ of: r }: { of: RefusedTrace }) {
  return (
    <>
      {r.code && <code>{r.code}</code>} {r.text && <q>{r.text}</q>}
    </>
  );
}
