import { ApiError } from "../api/client";
import * as api from "../api/endpoints";
import type { Objective } from "../api/types";
import { usePoll } from "../api/usePoll";
import { FirstSteps } from "../components/FirstSteps";
import { NextEvaluation } from "./NextEvaluation";
import { countsSpans, serviceHint } from "./words";

/** The services of all spans since the start, which the sampler counts; without one, the services of kept traces. */
async function services(signal: AbortSignal): Promise<string[]> {
  try {
    const { services } = await api.samplingCost(signal);
    return services.filter((s) => s.spans_in > 0).map((s) => s.service);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    return (await api.traceServices(signal)).map((s) => s.name);
  }
}

/** The notice of an objective without events: since when, why, and the known services, in case of a typo. */
export function NoEvents({ objective: o }: { objective: Objective }) {
  const counted = usePoll("counted services", services, { interval: 15_000 });
  const spans = countsSpans(o.indicator);
  return (
    <div class="notice">
      <div>
        <b>No events yet</b>
        {o.state === "no_data" && o.evaluated_until && o.message && <p>{o.message}</p>}
        {!o.evaluated_until && <FirstEvaluation />}
        {spans && counted.data && <p>{serviceHint(o, counted.data)}</p>}
        {spans && counted.data?.length === 0 && <FirstSteps />}
      </div>
    </div>
  );
}

function FirstEvaluation() {
  const { data } = usePoll("next evaluation", (signal) => api.overview({ limit: 1 }, signal));
  return (
    <p>
      Nothing has been evaluated yet. <NextEvaluation at={data?.next_evaluation_at ?? null} />
    </p>
  );
}
