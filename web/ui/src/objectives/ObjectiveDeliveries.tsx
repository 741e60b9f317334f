import { DeliveriesTable } from "../alerts/DeliveriesTable";
import * as api from "../api/endpoints";
import { usePoll } from "../api/usePoll";
import { Polled } from "../components/Notices";

/** Who was told about this objective, and whether it reached them. */
export function ObjectiveDeliveries({ name }: { name: string }) {
  const poll = usePoll("deliveries", api.deliveries, { interval: 30_000 });
  return (
    <section aria-labelledby="deliveries">
      <h2 id="deliveries">Notifications</h2>
      <Polled poll={poll} rows={2}>
        {(all) => <DeliveriesTable deliveries={all.filter((d) => d.objective === name)} />}
      </Polled>
    </section>
  );
}
