import * as api from "../api/endpoints";
import type { Objective } from "../api/types";
import { usePoll } from "../api/usePoll";
import { serviceHint } from "./words";

/** For an objective that has counted nothing: that it has not, and which services there are in case of a typo. */
export function NoEvents({ objective: o }: { objective: Objective }) {
  const services = usePoll("services", api.traceServices, { interval: 60_000 });
  const hint = serviceHint(o, services.data?.map((s) => s.name) ?? []);
  return (
    <div class="notice">
      <div>
        <b>No events yet</b>
        {o.state === "no_data" && o.message && <p>{o.message}</p>}
        {hint && <p>{hint}</p>}
      </div>
    </div>
  );
}
