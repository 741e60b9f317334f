// Notices of a page without data, or with old data.

import type { ComponentChildren } from "preact";
import { type Poll, useNow } from "../api/usePoll";
import { durationSeconds } from "../lib/format";
import { Icon } from "./Icon";
import { Age, Time } from "./Time";

/** Says that the last request failed, how old the data on screen are, and when the next attempt is due. */
export function PollNotice({ poll }: { poll: Poll<unknown> }) {
  if (!poll.error) return null;
  return (
    <div class="notice notice-error" role="alert">
      <Icon name="error" />
      <div>
        <b>{poll.error.title}.</b> {poll.error.detail}
        <div class="faint">
          {poll.data !== null && poll.fetchedAt && (
            <>
              Showing the data of <Time at={poll.fetchedAt} />, <Age at={poll.fetchedAt} />.{" "}
            </>
          )}
          <NextTry poll={poll} />
        </div>
      </div>
      <button type="button" class="button" onClick={poll.retry} disabled={poll.loading}>
        Try now
      </button>
    </div>
  );
}

/** A countdown to the next attempt, for the eyes only. */
export function NextTry({ poll }: { poll: Poll<unknown> }) {
  const now = useNow(500);
  if (poll.loading) return <span aria-hidden="true">Trying…</span>;
  if (!poll.nextTryAt) return null;
  const seconds = Math.max(0, Math.ceil((poll.nextTryAt.getTime() - now.getTime()) / 1000));
  // Hidden from screen readers: an alert that changes each second would be read out each second.
  return <span aria-hidden="true">Next try in {durationSeconds(seconds)}.</span>;
}

/** The notice in place of a page's content when there is none. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Grey bars where content will be; appears after a moment, so that quick answers do not flicker. */
export function Loading({ rows = 4 }: { rows?: number }) {
  return (
    <div class="loading" role="status">
      <span class="sr">Loading</span>
      {Array.from({ length: rows }, (_, i) => (
        <i key={i} />
      ))}
    </div>
  );
}

/** The content of a poll once it has data; before that its error, or a placeholder. */
export function Polled<T>({
  poll,
  rows,
  children,
}: {
  poll: Poll<T>;
  rows?: number;
  children: (data: T) => ComponentChildren;
}) {
  return (
    <>
      <PollNotice poll={poll} />
      {poll.data !== null ? children(poll.data) : !poll.error && <Loading rows={rows} />}
    </>
  );
}
