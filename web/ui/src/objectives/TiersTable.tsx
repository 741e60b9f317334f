import type { Objective, Tier } from "../api/types";
import { useNow } from "../api/usePoll";
import { StandingPill } from "../components/Pill";
import { TableScroll } from "../components/TableScroll";
import { Time } from "../components/Time";
import { burnRate, durationSeconds, percent } from "../lib/format";
import { budgetLeft } from "./budget";
import { interval } from "./coverage";
import { tierWords } from "./words";

/** The tiers that decide whether to alert, with their burn rates. */
export function TiersTable({ objective: o }: { objective: Objective }) {
  if (o.tiers.length === 0) return null;
  return (
    <section aria-labelledby="tiers">
      <h2 id="tiers">When it alerts</h2>
      <p class="faint">
        A tier is active while the burn rate over both of its windows is at or above its factor: the long one
        shows that the loss matters, the short one that it goes on. At 1× the budget lasts exactly its window.
      </p>
      <TableScroll label="Tiers">
        <table class="table tiers">
          <thead>
            <tr>
              <th scope="col">Tier</th>
              <th scope="col" class="r">
                Factor
              </th>
              <th scope="col" class="r">
                Long window
              </th>
              <th scope="col" class="r">
                Short window
              </th>
              <th scope="col" class="r">
                Budget gone in
              </th>
              <th scope="col">Now</th>
            </tr>
          </thead>
          <tbody>
            {o.tiers.map((t) => (
              <Row
                key={`${t.long_window}${t.severity}${t.factor}`}
                tier={t}
                objective={o}
                remaining={budgetLeft(o)}
              />
            ))}
          </tbody>
        </table>
      </TableScroll>
    </section>
  );
}

function Row({
  tier: t,
  objective: o,
  remaining,
}: {
  tier: Tier;
  objective: Objective;
  remaining: number | null;
}) {
  const now = useNow(60_000);
  const target = o.target;
  const high = (window: string) => o.burn_rates.find((b) => b.window === window)?.burn_rate_high ?? null;
  const over = (rate: number | null) => (rate !== null && rate >= t.factor ? `over ${t.severity}` : "");
  const exhausted = remaining !== null && remaining <= 0;
  return (
    <tr class={t.active ? `is-${t.severity}` : ""}>
      <th scope="row">{tierWords(t)}</th>
      <td class="r num">{burnRate(t.factor)}</td>
      <td class="r num">
        <span class="faint">{t.long_window}</span>{" "}
        <b class={over(t.long_burn_rate)}>{interval(t.long_burn_rate, high(t.long_window), burnRate)}</b>
      </td>
      <td class="r num">
        <span class="faint">{t.short_window}</span>{" "}
        <b class={over(t.short_burn_rate)}>{interval(t.short_burn_rate, high(t.short_window), burnRate)}</b>
      </td>
      <td class="r num">
        {exhausted ? "spent" : durationSeconds(t.exhaustion_seconds)}
        {!exhausted && t.exhausted_at && (
          <>
            {" "}
            <span class="faint">
              at <Time at={t.exhausted_at} now={now} />
            </span>
          </>
        )}
      </td>
      <td>
        {t.active ? (
          <StandingPill of={t.severity} />
        ) : t.awaits_coverage ? (
          <span
            class="faint"
            title={`It is judged once a tenth of ${t.long_window} is covered, or the bad events are worth ${percent(t.budget_percent / 100)} of the budget.`}
          >
            burning, too little seen
          </span>
        ) : t.reachable ? (
          <span class="faint">quiet</span>
        ) : (
          <span
            class="unreachable"
            title={`At a target of ${percent(target)} even a full outage burns only ${burnRate(1 / (1 - target))}.`}
          >
            cannot fire: a full outage burns {burnRate(1 / (1 - target))}
          </span>
        )}
      </td>
    </tr>
  );
}
