import { useMemo } from "preact/hooks";
import * as api from "../api/endpoints";
import { usePoll } from "../api/usePoll";
import { Polled } from "../components/Notices";
import { Page } from "../components/Page";
import { links, type Route } from "../router";
import { JumpToTrace } from "../traces/SearchForm";
import { buildModel } from "./model";
import { RefusedBy } from "./RefusedBy";
import { TraceHead } from "./TraceHead";
import { TraceView } from "./TraceView";

export function TracePage({ id, route }: { id: string; route: Route }) {
  const poll = usePoll(`trace ${id}`, (signal) => api.trace(id, signal), { interval: 0 });
  const t = poll.data;
  const model = useMemo(() => (t ? buildModel(t.spans) : null), [t]);
  const root = t?.summary;
  return (
    <Page
      wide
      title={root ? `${root.root_service} ${root.root_operation}` : `Trace ${id.slice(0, 8)}`}
      above={<a href={links.traces()}>Traces</a>}
      heading={
        root ? (
          <>
            <span class="faint">{root.root_service || "unknown"}</span> {root.root_operation || "(no root)"}
          </>
        ) : (
          `Trace ${id.slice(0, 16)}`
        )
      }
      aside={<JumpToTrace />}
    >
      <RefusedBy key={id} id={id} />
      <Polled poll={poll} rows={10}>
        {(t) => (
          <>
            <TraceHead trace={t} />
            {model && <TraceView trace={t} model={model} route={route} />}
          </>
        )}
      </Polled>
    </Page>
  );
}
