import { ApiError } from "../api/client";
import * as api from "../api/endpoints";

/** How many refusals were undone, and what ended it early, if anything did. */
export interface AllSent {
  traces: number;
  error: ApiError | null;
}

/** Sends each refused trace again once; asks in between which there are, as only the latest are listed. */
export async function retryAll(): Promise<AllSent> {
  const tried = new Set<string>();
  let traces = 0;
  try {
    for (;;) {
      const { refused } = await api.destinations();
      const next = refused.filter((r) => !tried.has(`${r.trace_id} ${r.destination}`));
      if (next.length === 0) return { traces, error: null };
      for (const r of next) {
        const key = `${r.trace_id} ${r.destination}`;
        if (tried.has(key)) continue; // it was refused in parts
        tried.add(key);
        traces += await sendAgain(r.trace_id, r.destination);
      }
    }
  } catch (cause) {
    const error = cause instanceof ApiError ? cause : new ApiError(0, "The dashboard failed", String(cause));
    return { traces, error };
  }
}

/** 0 where it was given up, or sent again by another. */
async function sendAgain(trace: string, destination: string): Promise<number> {
  try {
    return (await api.retryRefused(trace, destination)).traces;
  } catch (cause) {
    if (cause instanceof ApiError && cause.status === 404) return 0;
    throw cause;
  }
}
