import { beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/api/client";
import { backoff, Poller, type PollState } from "../src/api/poller";

const down = (retryAfter: number | null = null) => new ApiError(503, "down", "", retryAfter);
const gone = new ApiError(404, "gone", "");

describe("backoff", () => {
  it("doubles from two seconds to a minute", () => {
    expect(
      [1, 2, 3, 4, 5, 6, 7, 50].map((n) => backoff(n, null, () => 1 - 1e-12) / 1000).map(Math.round),
    ).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
  });
  it("spreads the last quarter", () => {
    expect(backoff(3, null, () => 0)).toBe(6000);
    expect(backoff(3, null, () => 0.5)).toBe(7000);
  });
  it("waits as long as it was asked to", () => expect(backoff(1, 30_000, () => 0)).toBe(30_000));
});

describe("Poller", () => {
  let answers: (string | ApiError)[] = [];
  let calls = 0;
  let visible = true;
  let states: PollState<string>[] = [];
  const last = () => states[states.length - 1];

  function start(interval = 10_000) {
    const p = new Poller<string>(
      async () => {
        const a = answers[Math.min(calls++, answers.length - 1)];
        if (a instanceof ApiError) throw a;
        return a;
      },
      { interval, visible: () => visible, random: () => 0 },
      (s) => states.push(s),
    );
    p.start();
    return p;
  }

  beforeEach(() => {
    vi.useFakeTimers({ now: new Date("2026-11-21T03:00:00Z") });
    answers = ["a"];
    calls = 0;
    visible = true;
    states = [];
    return () => vi.useRealTimers();
  });

  it("asks at once, then in a steady beat", async () => {
    const p = start();
    await vi.advanceTimersByTimeAsync(0);
    expect(last()).toMatchObject({ data: "a", error: null, loading: false });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(calls).toBe(4);
    p.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls).toBe(4);
  });

  it("keeps the last data through failures, and says when it tries next", async () => {
    answers = ["a", down(), down(), down(), "b"];
    const p = start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(last()).toMatchObject({ data: "a", fetchedAt: new Date("2026-11-21T03:00:00Z") });
    expect(last().error?.status).toBe(503);
    expect(last().nextTryAt).toEqual(new Date("2026-11-21T03:00:11.500Z"));
    await vi.advanceTimersByTimeAsync(1500 + 3000);
    expect(calls).toBe(4);
    await vi.advanceTimersByTimeAsync(6000);
    expect(last()).toMatchObject({ data: "b", error: null, nextTryAt: null });
    await vi.advanceTimersByTimeAsync(10_000); // the beat is back
    expect(calls).toBe(6);
    p.stop();
  });

  it("pauses while hidden, and catches up when seen again", async () => {
    const p = start();
    await vi.advanceTimersByTimeAsync(4000);
    visible = false;
    p.visibilityChanged();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(calls).toBe(1);
    visible = true;
    p.visibilityChanged();
    await vi.advanceTimersByTimeAsync(0);
    expect(calls).toBe(2);
    p.stop();
  });

  it("keeps its beat over a short look away", async () => {
    const p = start();
    await vi.advanceTimersByTimeAsync(2000);
    for (const v of [false, true]) {
      visible = v;
      p.visibilityChanged();
    }
    await vi.advanceTimersByTimeAsync(7900);
    expect(calls).toBe(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(calls).toBe(2);
    p.stop();
  });

  it("asks once for what does not change, but again after a failure", async () => {
    answers = [down(), "a"];
    const p = start(0);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(calls).toBe(2);
    expect(last().data).toBe("a");
    p.stop();
  });

  it("does not repeat what cannot succeed, unless told to", async () => {
    answers = [gone, gone, "a"];
    const p = start(0);
    await vi.advanceTimersByTimeAsync(600_000);
    expect([calls, last().nextTryAt]).toEqual([1, null]);
    p.retry();
    p.retry(); // while one is under way
    await vi.advanceTimersByTimeAsync(0);
    expect(calls).toBe(2);
    p.stop();
  });

  it("heeds Retry-After", async () => {
    answers = [down(45_000), "a"];
    const p = start();
    await vi.advanceTimersByTimeAsync(44_999);
    expect(calls).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls).toBe(2);
    p.stop();
  });

  it("aborts what is under way when it stops, and says nothing more", async () => {
    let aborted = false;
    const p = new Poller<string>(
      (signal) =>
        new Promise((_, reject) =>
          signal.addEventListener("abort", () => {
            aborted = true;
            reject(signal.reason);
          }),
        ),
      { interval: 1000 },
      (s) => states.push(s),
    );
    p.start();
    p.stop();
    await vi.advanceTimersByTimeAsync(5000);
    expect(aborted).toBe(true);
    expect(states).toHaveLength(1);
  });
});
