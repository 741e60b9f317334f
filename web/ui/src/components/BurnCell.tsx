import type { Objective } from "../api/types";
import { burnRate, percent } from "../lib/format";
import { exactAmount } from "../objectives/unit";
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
  const title = rate
    ? `${exactAmount(o, rate.bad)} bad of ${exactAmount(o, rate.total)} in ${window}: ${percent(rate.error_ratio)}`
    : `no figure for ${window}`;
  return (
    <div class={`burn ${over ? `over ${against.tier.severity}` : ""}`} title={title}>
      <span class="burn-window">{window}</span>
      <span class="burn-rate num">
        {burnRate(burn)}
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
