import { useState } from "preact/hooks";
import { ApiError } from "./client";

export interface Action<T> {
  /** It was asked for and is not answered yet. */
  busy: boolean;
  result: T | null;
  error: ApiError | null;
  /** Does it, unless it is being done. */
  run: () => Promise<void>;
}

/** Something that the gateway does when a button is pressed; `done` is called with the answer, or null on failure. */
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
