// A Poller repeats a request: at a fixed interval while it succeeds, with growing pauses while it fails, and not at all while
// the page is hidden. The last good answer stays on screen, with its age.

import { ApiError } from "./client";

export interface PollState<T> {
  data: T | null;
  /** When `data` arrived. */
  fetchedAt: Date | null;
  /** The failure of the last attempt; null once one succeeds. */
  error: ApiError | null;
  /** When the next attempt is due after a failure. */
  nextTryAt: Date | null;
  loading: boolean;
}

export interface PollOptions {
  /** Milliseconds between an answer and the next request; 0 asks once (and again only after failures). */
  interval: number;
  /** Errors that another request cannot mend (404) end the polling. */
  final?: boolean;
  /** Whether the page is visible; a hidden page does not poll. */
  visible?: () => boolean;
  /** In [0, 1): spreads the retries of many open dashboards. */
  random?: () => number;
}

const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;

/** The pause after the n-th failure in a row (n ≥ 1): 2 s doubling to 1 min, of which the last quarter is jitter. */
export function backoff(n: number, retryAfter: number | null, random: () => number): number {
  const cap = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (n - 1));
  return Math.max(retryAfter ?? 0, cap * (0.75 + 0.25 * random()));
}

/** Not reusable: start once, stop once. `onChange` is called with each new state. */
export class Poller<T> {
  state: PollState<T>;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private request: AbortController | null = null;
  private dueAt = 0;
  private stopped = false;

  constructor(
    private readonly fetcher: (signal: AbortSignal) => Promise<T>,
    private readonly options: PollOptions,
    private readonly onChange: (state: PollState<T>) => void,
  ) {
    this.state = { data: null, fetchedAt: null, error: null, nextTryAt: null, loading: false };
  }

  start(): void {
    void this.attempt();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.request?.abort();
  }

  /** Sends the next request now. */
  retry = (): void => {
    if (this.request === null) void this.attempt();
  };

  /** Call it when the page becomes visible or hidden. */
  visibilityChanged = (): void => {
    if (this.stopped || this.request !== null || this.dueAt === 0) return;
    clearTimeout(this.timer);
    if (this.visible()) this.schedule(Math.max(0, this.dueAt - Date.now()));
  };

  private visible(): boolean {
    return this.options.visible?.() ?? true;
  }

  private schedule(delay: number): void {
    this.dueAt = Date.now() + delay;
    if (this.visible()) this.timer = setTimeout(() => void this.attempt(), delay);
  }

  private async attempt(): Promise<void> {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.request = new AbortController();
    this.update({ loading: true });
    try {
      const data = await this.fetcher(this.request.signal);
      if (this.stopped) return;
      this.failures = 0;
      this.request = null;
      this.dueAt = 0;
      if (this.options.interval > 0) this.schedule(this.options.interval);
      this.update({ data, fetchedAt: new Date(), error: null, nextTryAt: null, loading: false });
    } catch (cause) {
      if (this.stopped) return;
      this.request = null;
      this.fail(cause instanceof ApiError ? cause : new ApiError(0, "The dashboard failed", String(cause)));
    }
  }

  private fail(error: ApiError): void {
    this.failures++;
    this.dueAt = 0;
    // What cannot succeed is not tried again, unless it is a beat anyway: the thing asked for may come to exist.
    const giveUp = error.permanent && (this.options.interval === 0 || this.options.final === true);
    let nextTryAt: Date | null = null;
    if (!giveUp) {
      const pause = backoff(this.failures, error.retryAfter, this.options.random ?? Math.random);
      this.schedule(pause);
      nextTryAt = new Date(Date.now() + pause);
    }
    this.update({ error, nextTryAt, loading: false });
  }

  private update(change: Partial<PollState<T>>): void {
    this.state = { ...this.state, ...change };
    this.onChange(this.state);
  }
}
