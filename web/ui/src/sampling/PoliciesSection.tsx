import * as api from "../api/endpoints";
import type { Policies, PolicyCost, SamplingCost } from "../api/types";
import { type Action, useAction } from "../api/useAction";
import { useNow } from "../api/usePoll";
import { Icon } from "../components/Icon";
import { useChange } from "../components/Operator";
import { TableScroll } from "../components/TableScroll";
import { Time } from "../components/Time";
import { bytes, exact, percent } from "../lib/format";
import { links } from "../router";

/** The deciding policies, the traces that each keeps, and the button that reloads them. */
export function PoliciesSection({
  policies: p,
  cost,
  onChange,
}: {
  policies: Policies;
  cost: SamplingCost;
  onChange: () => void;
}) {
  const now = useNow(60_000);
  const reload = useAction(api.reloadPolicies, onChange);
  const change = useChange(reload.busy);
  return (
    <section aria-labelledby="policies">
      <div class="section-head">
        <div>
          <h2 id="policies">Policies</h2>
          <p class="faint">
            Version <span class="num">{p.version}</span>, since <Time at={p.since} now={now} />. Alone counts
            the traces that no other policy keeps.
          </p>
        </div>
        <button type="button" class="button" onClick={reload.run} {...change}>
          {reload.busy ? "Reloading…" : "Reload policies"}
        </button>
      </div>
      <ReloadResult reload={reload} policies={p} />
      {p.last_error && (
        <div class="notice notice-error" role="alert">
          <Icon name="error" />
          <div>
            <b>
              The last reload failed at <Time at={p.last_error.at} now={now} />.
            </b>{" "}
            {p.last_error.detail}
          </div>
        </div>
      )}
      {p.promoted && (
        <div class="notice">
          <div>
            These policies were promoted from the shadow, but not in the configuration: the next reload or
            restart undoes that. Move them from <code>tail_sampling::shadow::policies</code> to{" "}
            <code>tail_sampling::policies</code>.
          </div>
        </div>
      )}
      {p.needs_restart && (
        <div class="notice">
          <div>
            Changed in the configuration, but applied by a restart only:{" "}
            {p.needs_restart.map((key, i) => (
              <span key={key}>
                {i > 0 && ", "}
                <code>{key}</code>
              </span>
            ))}
            .
          </div>
        </div>
      )}
      <Table policies={cost.policies} />
    </section>
  );
}

/** The outcome of a reload. A failure that the gateway reports by itself is not shown twice. */
function ReloadResult({ reload, policies: p }: { reload: Action<Policies>; policies: Policies }) {
  const { result, error } = reload;
  const told = error !== null && p.last_error !== undefined && error.detail.includes(p.last_error.detail);
  return (
    <div role="status">
      {result && result.version >= p.version && (
        <p class="done">Read again: version {result.version} of the policies decides.</p>
      )}
      {error && !told && (
        <div class="notice notice-error">
          <Icon name="error" />
          <div>{error.detail || error.title}</div>
        </div>
      )}
    </div>
  );
}

function Table({ policies }: { policies: PolicyCost[] }) {
  const traces = policies.reduce((n, p) => n + p.sampled.traces, 0);
  return (
    <TableScroll label="Policies">
      <table class="table nowrap">
        <thead>
          <tr>
            <th scope="col">Policy</th>
            <th scope="col">Type</th>
            <th scope="col" class="r">
              Matched traces
            </th>
            <th scope="col" class="r">
              Kept traces
            </th>
            <th scope="col">Share</th>
            <th scope="col" class="r">
              Kept spans
            </th>
            <th scope="col" class="r">
              Alone, traces
            </th>
            <th scope="col" class="r">
              Alone, bytes
            </th>
            <th scope="col" class="r">
              Dropped traces
            </th>
          </tr>
        </thead>
        <tbody>
          {policies.map((p) => {
            const share = traces > 0 ? p.sampled.traces / traces : 0;
            return (
              <tr key={p.name}>
                <th scope="row">
                  {p.sampled.traces > 0 ? <a href={links.traces({ policy: p.name })}>{p.name}</a> : p.name}
                </th>
                <td>
                  <code>{p.type}</code>
                </td>
                <td class="r num">{exact(p.matched.traces)}</td>
                <td class="r num">{exact(p.sampled.traces)}</td>
                <td class="share-cell">
                  <span class="share-bar" style={{ width: `${share * 60}%` }} aria-hidden="true" />
                  <span class="num">{percent(share, 2)}</span>
                </td>
                <td class="r num">{exact(p.sampled.spans)}</td>
                <td class="r num">{exact(p.alone.traces)}</td>
                <td class="r num">{bytes(p.alone.bytes)}</td>
                <td class="r num">{exact(p.dropped.traces)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </TableScroll>
  );
}
