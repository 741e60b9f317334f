import * as api from "../api/endpoints";
import type { Overview } from "../api/types";
import { useNow, usePoll } from "../api/usePoll";
import { Icon } from "../components/Icon";
import { Empty, Polled } from "../components/Notices";
import { Page } from "../components/Page";
import { StandingPill } from "../components/Pill";
import { Time } from "../components/Time";
import { age } from "../lib/time";
import { links, type Route, replaceParams } from "../router";
import { NextEvaluation } from "./NextEvaluation";
import { ObjectiveRow } from "./ObjectiveRow";
import { headline, type Standing, type Tally } from "./urgency";

/** The URL's parameters that choose rows: the words that were typed, an urgency, services and labels, and the place of the page. */
const FILTERS = ["q", "state", "service", "label"];

export function ObjectivesPage({ route }: { route: Route }) {
  const query = chosen(route.params);
  const poll = usePoll(`overview ${JSON.stringify(query)}`, (signal) => api.overview(query, signal), {
    keep: true,
  });
  const o = poll.data;
  const burning = o ? o.by_urgency.page + o.by_urgency.ticket : 0;
  return (
    <Page
      title={burning ? `(${burning}) Objectives` : "Objectives"}
      heading={o ? o.total ? <Headline counts={o.by_urgency} /> : "No objectives yet" : "Objectives"}
      aside={o && o.total > 0 && <Freshness data={o} />}
    >
      <Polled poll={poll} rows={6}>
        {(o) => (o.total ? <List overview={o} route={route} /> : <NoObjectives />)}
      </Polled>
    </Page>
  );
}

/** The request for the page that the URL names. */
function chosen(params: URLSearchParams): api.OverviewQuery {
  return {
    q: params.get("q") ?? "",
    urgency: params.get("state") ?? "",
    service: params.getAll("service"),
    label: params.getAll("label"),
    cursor: params.get("after") ?? "",
  };
}

function Headline({ counts }: { counts: Tally }) {
  return (
    <>
      {headline(counts).map(({ text, standing }, i) => (
        <span key={text}>
          {i > 0 && <span class="faint">, </span>}
          <span class={`text-${standing}`}>{text}</span>
        </span>
      ))}
    </>
  );
}

/** Evaluation runs once a minute behind a watermark: a lag above this is shown. */
const STALE_MS = 5 * 60_000;

function Freshness({ data }: { data: Overview }) {
  const now = useNow(1000);
  if (!data.evaluated_until)
    return (
      <span class="faint">
        Not evaluated yet. <NextEvaluation at={data.next_evaluation_at} />
      </span>
    );
  const stale = now.getTime() - new Date(data.evaluated_until).getTime() > STALE_MS;
  return (
    <span class={stale ? "stale" : "faint"}>
      {stale && <Icon name="clock" />} Evaluated until <Time at={data.evaluated_until} withZone />
      {stale && <b> – {age(data.evaluated_until, now)} behind</b>}
    </span>
  );
}

const ORDER: Standing[] = ["page", "ticket", "pending", "error", "overspent", "low", "ok", "no_data"];

function List({ overview: o, route }: { overview: Overview; route: Route }) {
  const state = route.params.get("state");
  // A filter begins at its first page.
  const filter = (change: Record<string, string | null>) => replaceParams(route, { ...change, after: null });
  const narrowed = ["service", "label"].flatMap((name) =>
    route.params.getAll(name).map((value) => ({ name, value })),
  );
  return (
    <>
      <div class="toolbar">
        <div class="filters" role="group" aria-label="Show only">
          {ORDER.filter((s) => o.by_urgency[s] > 0 || s === state).map((s) => (
            <button
              key={s}
              type="button"
              class="filter"
              aria-pressed={state === s}
              onClick={() => filter({ state: state === s ? null : s })}
            >
              <StandingPill of={s} /> <b class="num">{o.by_urgency[s]}</b>
            </button>
          ))}
          {narrowed.map(({ name, value }) => (
            <button
              key={`${name} ${value}`}
              type="button"
              class="filter"
              aria-pressed={true}
              onClick={() => filter({ [name]: null })}
            >
              {name} {value}
            </button>
          ))}
        </div>
        <label class="search-field">
          <Icon name="search" />
          <span class="sr">Filter by name, service or label</span>
          <input
            type="search"
            placeholder="Name, service, label"
            value={route.params.get("q") ?? ""}
            onInput={(e) => filter({ q: e.currentTarget.value })}
          />
        </label>
      </div>
      {o.rows.length === 0 && (
        <Empty title={o.matched ? "There is no further page" : "No objective matches"}>
          <button
            type="button"
            class="button"
            onClick={() =>
              o.matched ? filter({}) : filter(Object.fromEntries(FILTERS.map((name) => [name, null])))
            }
          >
            {o.matched ? "Go to the first page" : `Show all ${o.total}`}
          </button>
        </Empty>
      )}
      <ul class="objectives">
        {o.rows.map((row) => (
          <ObjectiveRow key={row.name} row={row} of={o} />
        ))}
      </ul>
      <Pages overview={o} route={route} />
    </>
  );
}

/** Links to the first and the next page, where there is more than one. */
function Pages({ overview: o, route }: { overview: Overview; route: Route }) {
  const later = route.params.has("after");
  if (!o.next_cursor && !later) return null;
  const page = (after: string | null) => {
    const params = new URLSearchParams(route.params);
    if (after === null) params.delete("after");
    else params.set("after", after);
    return links.objectives(params);
  };
  return (
    <nav class="pages" aria-label="Pages">
      {later && (
        <a class="button" href={page(null)}>
          First page
        </a>
      )}
      <span class="faint">
        {o.rows.length} of {o.matched} objectives, the most urgent first
      </span>
      {o.next_cursor && (
        <a class="button" href={page(o.next_cursor)}>
          Next page
        </a>
      )}
    </nav>
  );
}

const EXAMPLE = `extensions:
  slo:
    objectives:
      - name: checkout-availability
        description: Buyers can complete an order.
        target: 99.9
        window: 30d
        availability:
          service: checkout
          kind: server
          operations: ["POST /checkout"]`;

function NoObjectives() {
  return (
    <Empty title="Say what your users rely on">
      <p>
        An objective is a promise about a service: so many of its requests succeed, or are fast enough, over a
        window. slowburn counts every span against it and alerts when the error budget burns too fast. Add one
        to the configuration, then restart:
      </p>
      <pre class="code">
        <code>{EXAMPLE}</code>
      </pre>
      <p class="faint">
        <code>slowburn validate --config …</code> checks the file first.
      </p>
    </Empty>
  );
}
