import { ApiError } from "../api/client";
import * as api from "../api/endpoints";
import { usePoll } from "../api/usePoll";
import { FirstSteps } from "../components/FirstSteps";
import { Empty } from "../components/Notices";
import { links, type Route, replaceParams } from "../router";
import { whyNone } from "./none";

const CONDITIONS = ["service", "operation", "min_duration", "max_duration", "error", "policy"];

/** The notice when no trace is found: the conditions of the search or, without any, how much arrived and was kept. */
export function NoTraces({ route }: { route: Route }) {
  const conditions = CONDITIONS.filter((k) => route.params.has(k));
  return conditions.length > 0 ? (
    <NoMatch route={route} conditions={conditions} />
  ) : (
    <NoneKept route={route} />
  );
}

function NoMatch({ route, conditions }: { route: Route; conditions: string[] }) {
  return (
    <Empty title="No kept trace matches">
      <p>Only traces that sampling kept are stored here. Widen the time range, or drop a condition.</p>
      <p>
        <button
          type="button"
          class="button"
          onClick={() => replaceParams(route, Object.fromEntries(conditions.map((k) => [k, null])))}
        >
          Drop all conditions
        </button>{" "}
        <LastDays route={route} />
      </p>
    </Empty>
  );
}

/** The counts of the sampler; null without one. */
async function counters(signal: AbortSignal) {
  try {
    const [status, cost] = await Promise.all([api.samplingStatus(signal), api.samplingCost(signal)]);
    return { why: whyNone(status, cost) };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { why: null };
    throw error;
  }
}

function NoneKept({ route }: { route: Route }) {
  const { data } = usePoll("none kept", counters, { interval: 5_000 });
  if (!data) return null;
  const { why } = data;
  if (why?.nothingCame)
    return (
      <Empty title={why.title}>
        <FirstSteps />
      </Empty>
    );
  return (
    <Empty title={why?.title ?? "No kept trace is in this range"}>
      {why?.sentences.map((s) => (
        <p key={s}>{s}</p>
      ))}
      {why && (
        <p>
          <a href={links.sampling()}>What the policies decide</a>
        </p>
      )}
      <p>
        <LastDays route={route} />
      </p>
    </Empty>
  );
}

function LastDays({ route }: { route: Route }) {
  return (
    <button
      type="button"
      class="button"
      onClick={() => replaceParams(route, { range: "7d", start: null, end: null })}
    >
      Search the last 7 days
    </button>
  );
}
