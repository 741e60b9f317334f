import { useState } from "preact/hooks";
import type { ServiceCost } from "../api/types";
import { FirstSteps } from "../components/FirstSteps";
import { Service } from "../components/Service";
import { TableScroll } from "../components/TableScroll";
import { bytes, exact, NONE, percent } from "../lib/format";
import { byBytesIn, keptShare, serviceName } from "./words";

/** The number of services before "show all". */
const TOP = 20;

/** The bytes and traces that each service sends, and the kept ones. */
export function ServicesSection({ services }: { services: ServiceCost[] }) {
  const [all, showAll] = useState(false);
  const sorted = byBytesIn(services);
  const total = (key: "bytes_in" | "bytes_kept") => services.reduce((n, s) => n + s[key], 0);
  const sum = { bytes_in: total("bytes_in"), bytes_kept: total("bytes_kept") };
  const share = keptShare(sum);
  return (
    <section aria-labelledby="services">
      <h2 id="services">Cost per service</h2>
      {services.length === 0 ? (
        <>
          <p class="faint">No span has come yet.</p>
          <FirstSteps />
        </>
      ) : (
        <>
          <p class="faint">
            Since the start {bytes(sum.bytes_in)} came in{share === null ? ", and " : ", of which "}
            {bytes(sum.bytes_kept)} were kept and passed on
            {share !== null && `, which is ${percent(share, 2)}`}
            {sum.bytes_kept > sum.bytes_in && ", some of which came before the start"}.
          </p>
          <TableScroll label="Cost per service">
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">Service</th>
                  <th scope="col" class="r">
                    Bytes in
                  </th>
                  <th scope="col" class="r">
                    Bytes kept
                  </th>
                  <th scope="col">Share kept</th>
                  <th scope="col" class="r">
                    Spans in
                  </th>
                  <th scope="col" class="r">
                    Spans kept
                  </th>
                </tr>
              </thead>
              <tbody>
                {(all ? sorted : sorted.slice(0, TOP)).map((s) => (
                  <Row key={s.service} service={s} />
                ))}
              </tbody>
            </table>
          </TableScroll>
          {sorted.length > TOP && (
            <button type="button" class="button more" aria-expanded={all} onClick={() => showAll(!all)}>
              {all ? `Show the first ${TOP}` : `Show all ${sorted.length}`}
            </button>
          )}
        </>
      )}
    </section>
  );
}

function Row({ service: s }: { service: ServiceCost }) {
  const share = keptShare(s);
  return (
    <tr>
      <th scope="row">
        <Service name={serviceName(s)} />
      </th>
      <td class="r num">{bytes(s.bytes_in)}</td>
      <td class="r num">{bytes(s.bytes_kept)}</td>
      <td class="share-cell">
        <span class="share-bar" style={{ width: `${(share ?? 0) * 60}%` }} aria-hidden="true" />
        <span class="num">{share === null ? NONE : percent(share, 2)}</span>
      </td>
      <td class="r num">{exact(s.spans_in)}</td>
      <td class="r num">{exact(s.spans_kept)}</td>
    </tr>
  );
}
