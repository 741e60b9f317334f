import { useEffect, useRef, useState } from "preact/hooks";
import { Poller, type PollState } from "./poller";

export type Poll<T> = PollState<T> & { retry: () => void };

const nothing: PollState<never> = {
  data: null,
  fetchedAt: null,
  error: null,
  nextTryAt: null,
  loading: true,
};

/**
 * Polls `fetcher` while the component is mounted. A change of `key` starts over with other data; if `keep`
 * is set, the old data stay until the new answer arrives (a range picker must not blank the page).
 */
export function usePoll<T>(
  key: string,
  fetcher: (signal: AbortSignal) => Promise<T>,
  {
    interval = 10_000,
    keep = false,
    final = false,
  }: { interval?: number; keep?: boolean; final?: boolean } = {},
): Poll<T> {
  const [shown, setShown] = useState<{ key: string; state: PollState<T> }>({ key, state: nothing });
  const poller = useRef<Poller<T> | null>(null);

  // Dependencies: `key` stands for everything that the fetcher closes over
  useEffect(() => {
    const visible = () => document.visibilityState !== "hidden";
    const p = new Poller<T>(fetcher, { interval, final, visible }, (next) => {
      setShown((was) => {
        const old = keep || was.key === key ? was.state : nothing;
        const state = next.data === null ? { ...next, data: old.data, fetchedAt: old.fetchedAt } : next;
        return { key, state };
      });
    });
    poller.current = p;
    document.addEventListener("visibilitychange", p.visibilityChanged);
    p.start();
    return () => {
      document.removeEventListener("visibilitychange", p.visibilityChanged);
      p.stop();
    };
  }, [key, interval]);

  const state = shown.key === key || keep ? shown.state : nothing;
  return { ...state, retry: () => poller.current?.retry() };
}

/** The current time, updated every `period` milliseconds, for ages and countdowns. */
export function useNow(period = 1000): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState !== "hidden") setNow(new Date());
    }, period);
    return () => clearInterval(timer);
  }, [period]);
  return now;
}
