import * as api from "../api/endpoints";
import type { ComponentHealth, Readiness } from "../api/types";
import { usePoll } from "../api/usePoll";
import { Icon } from "./Icon";

/** The health problems of the gateway, on every screen: the first one open, the others on demand. */
export function HealthBanner() {
  const { data } = usePoll("readyz", api.readiness, { interval: 15_000 });
  const wrong = data ? unwell(data) : [];
  if (!data || (data.ready && wrong.length === 0)) return null;
  const [first, ...others] = wrong;
  const outage = !data.ready || wrong.some((c) => !c.ok);
  return (
    <div class={`notice notice-${outage ? "error" : "hint"} health`} role="status">
      <Icon name={outage ? "error" : "info"} />
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
      <b>{c.id}</b>: {c.ok ? c.advice : c.message}
    </>
  );
}

/** Problems that block spans come first, then those of delivery; advice, which is no problem, comes last. */
export function unwell({ components }: Readiness): ComponentHealth[] {
  return components.filter((c) => !c.ok || c.advice).sort((a, b) => rank(a) - rank(b));
}

function rank(c: ComponentHealth): number {
  if (c.ok) return 3;
  if (c.blocking) return 0;
  return c.id.split("/")[0] === "tail_sampling" ? 1 : 2;
}
