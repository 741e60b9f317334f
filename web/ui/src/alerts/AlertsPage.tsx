import * as api from "../api/endpoints";
import type { Alert } from "../api/types";
import { useNow, usePoll } from "../api/usePoll";
import { Empty, Polled } from "../components/Notices";
import { Page } from "../components/Page";
import { StandingPill } from "../components/Pill";
import { Service } from "../components/Service";
import { Time } from "../components/Time";
import { durationSeconds } from "../lib/format";
import { links } from "../router";
import { DeliveriesTable } from "./DeliveriesTable";

export function AlertsPage() {
  const alerts = usePoll("alerts", api.alerts);
  const deliveries = usePoll("deliveries", api.deliveries);
  const firing = alerts.data?.filter((a) => a.state === "firing").length ?? 0;
  return (
    <Page title={firing ? `(${firing}) Alerts` : "Alerts"} heading="Alerts">
      <Polled poll={alerts} rows={3}>
        {(all) =>
          all.length ? (
            <ul class="alerts">
              {all.map((a) => (
                <Row key={a.id} alert={a} />
              ))}
            </ul>
          ) : (
            <Empty title="All quiet">
              <p>No alert is firing, pending, or was resolved lately.</p>
            </Empty>
          )
        }
      </Polled>
      <section aria-labelledby="deliveries">
        <h2 id="deliveries">Deliveries</h2>
        <p class="faint">
          Each change of an alert is delivered to each receiver at least once; every retry carries the same
          idempotency key.
        </p>
        <Polled poll={deliveries} rows={3}>
          {(all) => <DeliveriesTable deliveries={all} withObjective />}
        </Polled>
      </section>
    </Page>
  );
}

function Row({ alert: a }: { alert: Alert }) {
  const now = useNow(5000);
  const state =
    a.state === "firing"
      ? a.severity === "page"
        ? "page"
        : "ticket"
      : a.state === "pending"
        ? "pending"
        : "ok";
  const end = a.ends_at ? new Date(a.ends_at) : now;
  const lasted = (end.getTime() - new Date(a.starts_at).getTime()) / 1000;
  return (
    <li class={`alert is-${state}`}>
      <div class="a-state">
        {a.state === "resolved" ? <span class="pill pill-ok">Resolved</span> : <StandingPill of={state} />}
        {a.state === "resolved" && a.severity && <span class="faint">was a {a.severity}</span>}
        {a.state === "pending" && a.severity && <span class="faint">{a.severity}</span>}
      </div>
      <div>
        <h2>
          <a href={links.objective(a.objective)}>{a.objective}</a>
        </h2>
        {a.service && <Service name={a.service} />}
        <p>{a.summary}</p>
      </div>
      <div class="a-time faint num">
        <span>
          <Time at={a.starts_at} now={now} />
          {a.ends_at && (
            <>
              {" "}
              to <Time at={a.ends_at} now={now} />
            </>
          )}
        </span>
        <span>{durationSeconds(Math.max(0, Math.round(lasted)))}</span>
      </div>
    </li>
  );
}
