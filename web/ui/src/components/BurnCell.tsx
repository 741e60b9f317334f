import type { MeterWindow } from "../api/types";
import { burnRate } from "../lib/format";

/** The position of the factor's mark on the meter: a rate just above the factor is visibly above. */
const MARK = 0.66;

/** The burn rate over one window, with a meter whose mark is the factor of a tier. */
export function BurnCell({ of: w, rate }: { of: MeterWindow; rate: number | null }) {
  const over = rate !== null && w.factor !== null && rate >= w.factor;
  const fill = rate === null || w.factor === null ? 0 : Math.min(1, (rate / w.factor) * MARK);
  return (
    <div class={`burn ${over ? `over ${w.severity}` : ""}`} title={`The burn rate over ${w.window}`}>
      <span class="burn-window">{w.window}</span>
      <span class="burn-rate num">
        {burnRate(rate)}
        {over && <span class="sr"> over the {w.severity} factor</span>}
      </span>
      <span class="meter" aria-hidden="true">
        <i class="meter-fill" style={{ width: `${fill * 100}%` }} />
        {w.factor !== null && <i class="meter-mark" />}
      </span>
      <span class="burn-factor num">
        {w.factor !== null && (
          <>
            <span class="sr">{w.severity} factor </span>
            {over ? "≥ " : "of "}
            {burnRate(w.factor)}
          </>
        )}
      </span>
    </div>
  );
}
