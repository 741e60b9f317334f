import * as api from "../api/endpoints";
import type { ComponentHealth, Readiness } from "../api/types";
import { usePoll } from "../api/usePoll";
import { Icon } from "./Icon";

/** On every screen: what of the gateway is not well, the first thing at once and the others on demand. */
export function HealthBanner() {
  const { data } = usePoll("readyz", api.readiness, { interval: 15_000 });
  const wrong = data ? unwell(data) : [];
  if (!data || (data.ready && wrong.length === 0)) return null;
  const [first, ...others] = wrong;
  return (
    <div class="notice notice-error health" role="status">
      <Icon name="error" />
      <div>
        {!data.ready && <b>The gateway is not ready to take spans. </b>}
        {first && <What of={first} />}
        {others.length > 0 && (
          <details>
            <summary>{others.length} more</summary>
            <ul>
              {others.map((c) => (
                <li key={c.id}>
                  <What of={c} />
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </div>
  );
}

function What({ of: c }: { of: ComponentHealth }) {
  return (
    <>
      <b>{c.id}</b>: {c.message}
    </>
  );
}

/** What keeps spans out comes first. */
export function unwell({ components }: Readiness): ComponentHealth[] {
  const wrong = components.filter((c) => !c.ok);
  return [...wrong.filter((c) => c.blocking), ...wrong.filter((c) => !c.blocking)];
}
