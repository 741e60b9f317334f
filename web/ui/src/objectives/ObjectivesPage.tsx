import { useMemo, useState } from "preact/hooks";
import * as api from "../api/endpoints";
import type { Objective, Objectives } from "../api/types";
import { useNow, usePoll } from "../api/usePoll";
import { Icon } from "../components/Icon";
import { Empty, Polled } from "../components/Notices";
import { Page } from "../components/Page";
import { StandingPill } from "../components/Pill";
import { Time } from "../components/Time";
import { age } from "../lib/time";
import { type Route, replaceParams } from "../router";
import { NextEvaluation } from "./NextEvaluation";
import { ObjectiveRow } from "./ObjectiveRow";
import { headline, matches, type Standing, sortByUrgency, standing, type Tally, tally } from "./urgency";

/** The number of rows at first; the filter finds the others. */
const FIRST_ROWS = 200;

export function ObjectivesPage({ route }: { route: Route }) {
  const poll = usePoll("objectives", api.objectives);
  const all = useMemo(() => sortByUrgency(poll.data?.objectives ?? []), [poll.data]);
  const counts = tally(all);
  const burning = counts.page + counts.ticket;
  return (
    <Page
      title={burning ? `(${burning}) Objectives` : "Objectives"}
      heading={poll.data ? all.length ? <Headline counts={counts} /> : "No objectives yet" : "Objectives"}
      aside={poll.data && all.length > 0 && <Freshness data={poll.data} />}
    >
      <Polled poll={poll} rows={6}>
        {() => (all.length ? <List all={all} route={route} /> : <NoObjectives />)}
      </Polled>
    </Page>
  );
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

function Freshness({ data }: { data: Objectives }) {
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

function List({ all, route }: { all: Objective[]; route: Route }) {
  const [limit, setLimit] = useState(FIRST_ROWS);
  const query = route.params.get("q") ?? "";
  const state = route.params.get("state");
  const found = all.filter((o) => (!state || standing(o) === state) && (!query || matches(o, query)));
  const counts = tally(all);
  return (
    <>
      <div class="toolbar">
        <div class="filters" role="group" aria-label="Show only">
          {ORDER.filter((s) => counts[s] > 0 || s === state).map((s) => (
            <button
              key={s}
              type="button"
              class="filter"
              aria-pressed={state === s}
              onClick={() => replaceParams(route, { state: state === s ? null : s })}
            >
              <StandingPill of={s} /> <b class="num">{counts[s]}</b>
            </button>
          ))}
        </div>
        <label class="search-field">
          <Icon name="search" />
          <span class="sr">Filter by name, service or label</span>
          <input
            type="search"
            placeholder="Name, service, label"
            value={query}
            onInput={(e) => replaceParams(route, { q: e.currentTarget.value })}
          />
        </label>
      </div>
      {found.length === 0 && (
        <Empty title="No objective matches">
          <button type="button" class="button" onClick={() => replaceParams(route, { q: null, state: null })}>
            Show all {all.length}
          </button>
        </Empty>
      )}
      <ul class="objectives">
        {found.slice(0, limit).map((o) => (
          <ObjectiveRow key={o.name} objective={o} />
        ))}
      </ul>
      {found.length > limit && (
        <button type="button" class="button more" onClick={() => setLimit(found.length)}>
          Show all {found.length}
        </button>
      )}
    </>
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
