import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "../api/endpoints";
import type { Shadow } from "../api/types";
import { type Action, useAction } from "../api/useAction";
import { useNow } from "../api/usePoll";
import { Icon } from "../components/Icon";
import { useChange } from "../components/Operator";
import { Time } from "../components/Time";
import { plural } from "../lib/format";
import { Comparison, Differences, ShadowPolicies } from "./ShadowTables";

/** The traces that the shadow policies would keep, and the button that promotes them; empty without a shadow. */
export function ShadowSection({
  shadow,
  version,
  onChange,
}: {
  shadow: Shadow | null;
  /** Of the policies that decide. */
  version: number;
  onChange: () => void;
}) {
  const now = useNow(60_000);
  const promote = useAction(api.promoteShadow, onChange);
  const note = useRef<HTMLDivElement>(null);
  const done = promote.result;
  const promoted = done !== null && done.version >= version; // until another change
  // The shadow is gone, and with it the button that had the focus.
  useEffect(() => {
    if (promoted) note.current?.focus();
  }, [promoted]);
  if (!shadow && !promoted) return null;
  return (
    <section aria-labelledby="shadow">
      <div class="section-head">
        <div>
          <h2 id="shadow">Shadow</h2>
          {shadow && (
            <p class="faint">
              A second set of policies, which decides nothing: the traces that it would keep, since{" "}
              <Time at={shadow.since} now={now} />.
            </p>
          )}
        </div>
        {shadow && <PromoteButton promote={promote} />}
      </div>
      {promoted && (
        <div class="notice" ref={note} tabIndex={-1}>
          <Icon name="ok" />
          <div>
            <b>Version {done.version} decides now.</b> {done.note}
          </div>
        </div>
      )}
      {promote.error && (
        <div class="notice notice-error" role="alert">
          <Icon name="error" />
          <div>{promote.error.detail || promote.error.title}</div>
        </div>
      )}
      {shadow && (
        <>
          <div class="shadow-tables">
            <Comparison shadow={shadow} />
            <ShadowPolicies shadow={shadow} />
          </div>
          <h3 class="differ">
            {shadow.differences.length === 0
              ? "They have not differed on any trace yet."
              : `The latest ${plural(shadow.differences.length, "trace")} that only one of them would keep`}
          </h3>
          {shadow.differences.length > 0 && <Differences shadow={shadow} />}
        </>
      )}
    </section>
  );
}

/** A button that asks for a confirmation in its own place. */
function PromoteButton({ promote }: { promote: Action<unknown> }) {
  const [asking, setAsking] = useState(false);
  const change = useChange(promote.busy);
  const first = useRef<HTMLButtonElement>(null);
  const shown = useRef(asking);
  // The focus stays where the button was.
  useEffect(() => {
    if (shown.current !== asking) first.current?.focus();
    shown.current = asking;
  }, [asking]);
  if (!asking)
    return (
      <button ref={first} type="button" class="button" {...change} onClick={() => setAsking(true)}>
        {promote.busy ? "Promoting…" : "Promote shadow"}
      </button>
    );
  return (
    <div class="confirm" role="group" aria-labelledby="confirm-promote">
      <span id="confirm-promote">Let the shadow’s policies decide?</span>
      <button ref={first} type="button" class="button" onClick={() => setAsking(false)}>
        Cancel
      </button>
      <button
        type="button"
        class="button primary"
        onClick={() => {
          setAsking(false);
          void promote.run();
        }}
      >
        Promote
      </button>
    </div>
  );
}
