import { useEffect, useRef } from "preact/hooks";
import * as api from "../api/endpoints";
import { usePoll } from "../api/usePoll";
import { Icon } from "../components/Icon";
import { Loading, NextTry, PollNotice } from "../components/Notices";
import { TraceIdForm } from "../components/TraceIdForm";
import { links, navigate, type Route, replaceParams } from "../router";
import { Explanation } from "./Explanation";

/** Asks about the decision on one trace, whose ID is in the URL. */
export function WhyKept({ route }: { route: Route }) {
  const id = route.params.get("trace") ?? "";
  const section = useRef<HTMLElement>(null);
  const before = useRef(id);
  // A link further down on this page changes the trace: the focus moves up to its explanation.
  useEffect(() => {
    if (before.current === id) return;
    before.current = id;
    if (id && !section.current?.contains(document.activeElement))
      section.current?.querySelector("h2")?.focus();
  }, [id]);
  return (
    <section ref={section} class="why-kept" aria-labelledby="why-kept">
      <div class="section-head">
        <h2 id="why-kept" tabIndex={-1}>
          Why was this trace kept, or not?
        </h2>
        <TraceIdForm
          label="The trace to explain"
          value={id}
          action="Explain"
          onFound={(found) => navigate(links.sampling({ trace: found }))}
        />
      </div>
      {id && <Result key={id} id={id} onClose={() => replaceParams(route, { trace: null })} />}
    </section>
  );
}

function Result({ id, onClose }: { id: string; onClose: () => void }) {
  const poll = usePoll(`decision ${id}`, (signal) => api.decision(id, signal));
  const unknown = poll.data === null && poll.error?.status === 404 ? poll.error : null;
  return (
    <div class="card why-result">
      <button
        type="button"
        class="icon-button small close"
        aria-label="Close the explanation"
        onClick={onClose}
      >
        <Icon name="close" />
      </button>
      <div aria-live="polite">
        {unknown ? (
          <>
            <p>{unknown.detail || unknown.title}</p>
            <p class="faint">
              <NextTry poll={poll} />
            </p>
          </>
        ) : (
          <PollNotice poll={poll} />
        )}
      </div>
      {poll.data ? <Explanation decision={poll.data} /> : !poll.error && <Loading rows={5} />}
    </div>
  );
}
