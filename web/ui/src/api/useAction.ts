import { useState } from "preact/hooks";
import { ApiError } from "./client";

export interface Action<T> {
  /** True between the request and its answer. */
  busy: boolean;
  result: T | null;
  error: ApiError | null;
  /** Sends the request, unless one is under way. */
  run: () => Promise<void>;
}

/** A request that a button sends; `done` is called with the answer, or null on failure. */
export function useAction<T>(ask: () => Promise<T>, done: (result: T | null) => void = () => {}): Action<T> {
  const [state, setState] = useState<Omit<Action<T>, "run">>({ busy: false, result: null, error: null });
  const run = async () => {
    if (state.busy) return;
    setState({ busy: true, result: null, error: null });
    let result: T | null = null;
    let error: ApiError | null = null;
    try {
      result = await ask();
    } catch (cause) {
      error = cause instanceof ApiError ? cause : new ApiError(0, "The dashboard failed", String(cause));
    }
    setState({ busy: false, result, error });
    done(result);
  };
  return { ...state, run };
}
