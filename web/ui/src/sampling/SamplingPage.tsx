import { useState } from "preact/hooks";
import * as api from "../api/endpoints";
import { usePoll } from "../api/usePoll";
import { Polled } from "../components/Notices";
import { OperatorNotice } from "../components/Operator";
import { Page } from "../components/Page";
import { Time } from "../components/Time";
import type { Route } from "../router";
import { Buffer } from "./Buffer";
import { Decided } from "./Decided";
import { DestinationsSection } from "./DestinationsSection";
import { PoliciesSection } from "./PoliciesSection";
import { ServicesSection } from "./ServicesSection";
import { ShadowSection } from "./ShadowSection";
import { WhyKept } from "./WhyKept";

/** Loads all data of the page at once: its figures are of one moment, and nothing moves when the last one arrives. */
async function figures(signal: AbortSignal) {
  const shadow = async () => {
    const policies = await api.policies(signal);
    // Without a shadow the answer is 404, which a browser logs as an error.
    return { policies, shadow: policies.shadow ? await api.shadow(signal) : null };
  };
  const [status, destinations, cost, decides] = await Promise.all([
    api.samplingStatus(signal),
    api.destinations(signal),
    api.samplingCost(signal),
    shadow(),
  ]);
  return { status, destinations, cost, ...decides };
}

export function SamplingPage({ route }: { route: Route }) {
  // The number of changes made here: the answer of an earlier request may be from before a change.
  const [changes, setChanges] = useState(0);
  const poll = usePoll(`sampling ${changes}`, figures, { keep: true });
  const changed = () => setChanges((n) => n + 1);
  return (
    <Page
      title="Sampling"
      heading="Sampling"
      aside={
        poll.fetchedAt && (
          <span class="faint">
            as of <Time at={poll.fetchedAt} />
          </span>
        )
      }
    >
      <OperatorNotice />
      <WhyKept route={route} />
      <Polled poll={poll} rows={8}>
        {({ status, destinations, cost, policies, shadow }) => (
          <>
            <Buffer status={status} />
            <Decided status={status} />
            <DestinationsSection destinations={destinations} onChange={changed} />
            <PoliciesSection policies={policies} cost={cost} onChange={changed} />
            <ShadowSection shadow={shadow} version={policies.version} onChange={changed} />
            <ServicesSection services={cost.services} />
          </>
        )}
      </Polled>
    </Page>
  );
}
