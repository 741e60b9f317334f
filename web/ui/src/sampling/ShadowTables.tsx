import { useState } from "preact/hooks";
import type { Amount, Shadow } from "../api/types";
import { useNow } from "../api/usePoll";
import { TableScroll } from "../components/TableScroll";
import { Time } from "../components/Time";
import { bytes, exact, percent } from "../lib/format";
import { links } from "../router";
import { change, realSampled, VERDICT } from "./words";

function Amounts({ of: a }: { of: Amount }) {
  return (
    <>
      <td class="r num">{exact(a.traces)}</td>
      <td class="r num">{exact(a.spans)}</td>
      <td class="r num">{bytes(a.bytes)}</td>
    </>
  );
}

function AmountHeads({ what = "" }: { what?: string }) {
  return (
    <>
      {["Traces", "Spans", "Bytes"].map((unit) => (
        <th key={unit} scope="col" class="r">
          {what ? `${what} ${unit.toLowerCase()}` : unit}
        </th>
      ))}
    </>
  );
}

/** The kept traces, beside those that the shadow would keep. */
export function Comparison({ shadow: s }: { shadow: Shadow }) {
  const real = realSampled(s);
  const signed = (x: number | null) => (x !== null && x > 0 ? `+${percent(x, 2)}` : percent(x, 2));
  return (
    <TableScroll label="Kept, and what the shadow would keep">
      <table class="table nowrap">
        <thead>
          <tr>
            <th scope="col">Kept by</th>
            <AmountHeads />
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">the policies</th>
            <Amounts of={real} />
          </tr>
          <tr>
            <th scope="row">the shadow</th>
            <Amounts of={s.sampled} />
          </tr>
          <tr class="total">
            <th scope="row">change</th>
            {(["traces", "spans", "bytes"] as const).map((key) => (
              <td key={key} class="r num">
                <b>{signed(change(real[key], s.sampled[key]))}</b>
              </td>
            ))}
          </tr>
          <tr>
            <th scope="row">only the policies</th>
            <Amounts of={s.only_real} />
          </tr>
          <tr>
            <th scope="row">only the shadow</th>
            <Amounts of={s.only_shadow} />
          </tr>
        </tbody>
      </table>
    </TableScroll>
  );
}

/** The traces that each policy of the shadow would keep or drop. */
export function ShadowPolicies({ shadow: s }: { shadow: Shadow }) {
  return (
    <TableScroll label="The shadow’s policies">
      <table class="table nowrap">
        <thead>
          <tr>
            <th scope="col">Shadow’s policy</th>
            <th scope="col">Type</th>
            <AmountHeads what="Kept" />
            <th scope="col" class="r">
              Dropped
            </th>
          </tr>
        </thead>
        <tbody>
          {s.policies.map((p) => (
            <tr key={p.name}>
              <th scope="row">{p.name}</th>
              <td>
                <code>{p.type}</code>
              </td>
              <Amounts of={p.sampled} />
              <td class="r num">{exact(p.dropped.traces)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

/** The number of differing traces before "show all". */
const FIRST = 10;

/** The traces on which the two differ, with links to their explanations. */
export function Differences({ shadow: { differences } }: { shadow: Shadow }) {
  const now = useNow(60_000);
  const [all, showAll] = useState(false);
  return (
    <>
      <TableScroll label="Traces that only one would keep">
        <table class="table nowrap">
          <thead>
            <tr>
              <th scope="col">Trace</th>
              <th scope="col">By the policies</th>
              <th scope="col">By the shadow</th>
              <th scope="col" class="r">
                Decided
              </th>
            </tr>
          </thead>
          <tbody>
            {(all ? differences : differences.slice(0, FIRST)).map((d) => (
              <tr key={d.trace_id}>
                <th scope="row">
                  <a href={links.sampling({ trace: d.trace_id })}>
                    <code>{d.trace_id.slice(0, 16)}</code>
                  </a>
                </th>
                <td>{VERDICT[d.real]}</td>
                <td>{VERDICT[d.shadow]}</td>
                <td class="r">
                  <Time at={d.decided_at} now={now} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
      {differences.length > FIRST && (
        <button type="button" class="button more" aria-expanded={all} onClick={() => showAll(!all)}>
          {all ? `Show the first ${FIRST}` : `Show all ${differences.length}`}
        </button>
      )}
    </>
  );
}
