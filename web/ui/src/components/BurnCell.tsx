import type { Objective } from "../api/types";
import { burnRate, durationSeconds, exact, percent } from "../lib/format";
import { interval } from "../objectives/coverage";
import { factorOf } from "../objectives/words";

/** The position of the factor's mark on the meter: a rate just above the factor is visibly above. */
const MARK = 0.66;

/** The burn rate over one window, with a meter whose mark is the factor of a tier. */
export function BurnCell({ objective: o, window }: { objective: Objective; window: string }) {
  const rate = o.burn_rates.find((b) => b.window === window);
  const burn = rate?.burn_rate ?? null;
  const against = factorOf(o.tiers, window);
  const over = burn !== null && against !== null && burn >= against.factor;
  const fill = burn === null || !against ? 0 : Math.min(1, (burn / against.factor) * MARK);
  const seen =
    rate && rate.covered_seconds < rate.window_seconds
      ? `; ${durationSeconds(rate.covered_seconds)} of it measured`
      : "";
  const title = rate
    ? `${exact(rate.bad)} bad of ${exact(rate.total)} in ${window}: ${percent(rate.error_ratio)}${seen}`
    : `no figure for ${window}`;
  return (
    <div class={`burn ${over ? `over ${against.tier.severity}` : ""}`} title={title}>
      <span class="burn-window">{window}</span>
      <span class="burn-rate num">
        {interval(burn, rate?.burn_rate_high ?? null, burnRate)}
        {over && <span class="sr"> over the {against.tier.severity} factor</span>}
      </span>
      <span class="meter" aria-hidden="true">
        <i class="meter-fill" style={{ width: `${fill * 100}%` }} />
        {against && <i class="meter-mark" />}
      </span>
      <span class="burn-factor num">
        {against ? (
          <>
            <span class="sr">{against.tier.severity} factor </span>
            {over ? "≥ " : "of "}
            {burnRate(against.factor)}
          </>
        ) : (
          ""
        )}
      </span>
    </div>
  );
}
