import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../api/client";
import * as api from "../api/endpoints";
import type { TraceSummary } from "../api/types";
import { usePoll } from "../api/usePoll";
import { Loading, PollNotice } from "../components/Notices";
import { Page } from "../components/Page";
import { plural } from "../lib/format";
import type { Route } from "../router";
import { NoTraces } from "./NoTraces";
import { toQuery } from "./query";
import { ResultsTable } from "./ResultsTable";
import { Scatter } from "./Scatter";
import { JumpToTrace, SearchForm } from "./SearchForm";

export function TracesPage({ route }: { route: Route }) {
  const [attempt, setAttempt] = useState(0);
  return (
    <Page title="Traces" heading="Traces" aside={<JumpToTrace />}>
      <SearchForm route={route} onSearch={() => setAttempt((n) => n + 1)} />
      <Results route={route} attempt={attempt} />
    </Page>
  );
}

function Results({ route, attempt }: { route: Route; attempt: number }) {
  const key = `search ${route.params} ${attempt}`;
  const first = usePoll(
    key,
    async (signal) => {
      const { range, ...query } = toQuery(route.params, new Date());
      return { key, query, range, ...(await api.searchTraces(query, signal)) };
    },
    { interval: 0, keep: true },
  );
  const more = useMore(first.data);
  const stale = first.data !== null && first.data.key !== key;
  if (first.data === null) return first.error ? <PollNotice poll={first} /> : <Loading rows={6} />;
  const { range } = first.data;
  const traces = more.traces;
  return (
    <div class={stale && !first.error ? "results stale-results" : "results"} aria-busy={stale}>
      <PollNotice poll={first} />
      {traces.length === 0 ? (
        <NoTraces route={route} />
      ) : (
        <>
          <p class="faint" role="status">
            {more.cursor ? `The newest ${traces.length} traces` : plural(traces.length, "trace")} that match
          </p>
          <Scatter traces={traces} range={range} />
          <ResultsTable traces={traces} />
          {more.error && (
            <p class="notice notice-error" role="alert">
              {more.error.message}
            </p>
          )}
          {more.cursor && (
            <button type="button" class="button more" onClick={more.load} disabled={more.loading}>
              {more.loading ? "Loading…" : "More"}
            </button>
          )}
        </>
      )}
    </div>
  );
}

interface FirstPage {
  query: api.TraceQuery;
  traces: TraceSummary[];
  next_cursor: string;
}

/** The first page, and the pages that were loaded after it. A new first page drops those. */
function useMore(first: FirstPage | null) {
  const [pages, setPages] = useState<{ first: FirstPage | null; traces: TraceSummary[]; cursor: string }>({
    first: null,
    traces: [],
    cursor: "",
  });
  const [loading, setLoading] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  // Dependencies: a new first page resets the list
  useEffect(() => {
    setLoading(false);
    setError(null);
  }, [first]);
  const current =
    pages.first === first ? pages : { first, traces: first?.traces ?? [], cursor: first?.next_cursor ?? "" };
  const load = async () => {
    if (!first || loading) return;
    setLoading(true);
    setError(null);
    try {
      const next = await api.searchTraces({ ...first.query, cursor: current.cursor });
      const known = new Set(current.traces.map((t) => t.trace_id));
      const fresh = next.traces.filter((t) => !known.has(t.trace_id)); // a trace that grew may come again
      setPages({ first, traces: [...current.traces, ...fresh], cursor: next.next_cursor });
    } catch (cause) {
      setError(cause instanceof ApiError ? cause : new ApiError(0, "The dashboard failed", String(cause)));
    }
    setLoading(false);
  };
  return { ...current, loading, error, load };
}
