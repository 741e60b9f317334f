import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "../api/endpoints";
import type { RefusedTrace } from "../api/types";
import { usePoll } from "../api/usePoll";
import { Icon } from "../components/Icon";
import { OperatorNotice } from "../components/Operator";
import { Time } from "../components/Time";
import {
  RetryButton,
  RetryError,
  refusalKey,
  refusedSince,
  SentAgain,
  useRetry,
  Words,
} from "../sampling/SentAgain";

/** Says which destinations refused a trace; the gateway lists the latest refusals only. */
export function RefusedBy({ id }: { id: string }) {
  const [changes, setChanges] = useState(0);
  const [sent, setSent] = useState<RefusedTrace | null>(null);
  const { data } = usePoll(`refused ${changes}`, api.destinations, { keep: true, final: true });
  const note = useRef<HTMLDivElement>(null);
  // The notice goes, and with it the button that had the focus.
  useEffect(() => {
    if (sent) note.current?.focus();
  }, [sent]);
  const refused = data?.refused.filter((r) => r.trace_id === id) ?? [];
  return (
    <>
      {sent && <SentAgain sent={sent} again={refusedSince(sent, refused)} focus={note} />}
      {refused.length > 0 && <OperatorNotice />}
      {refused.map((r) => (
        <Refusal
          key={`${refusalKey(r)} ${r.at}`}
          refused={r}
          onSent={() => {
            setSent(r);
            setChanges((n) => n + 1);
          }}
        />
      ))}
    </>
  );
}

function Refusal({ refused: r, onSent }: { refused: RefusedTrace; onSent: () => void }) {
  const retry = useRetry(r, onSent);
  return (
    <div class="notice notice-error">
      <Icon name="error" />
      <div class="words">
        <b>{r.destination}</b> refused this trace at <Time at={r.at} now={new Date()} />: <Words of={r} />
        <RetryError retry={retry} />
      </div>
      <RetryButton of={r} retry={retry} />
    </div>
  );
}
