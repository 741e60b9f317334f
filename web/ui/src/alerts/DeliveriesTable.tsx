import type { Delivery } from "../api/types";
import { useNow } from "../api/usePoll";
import { Icon } from "../components/Icon";
import { TableScroll } from "../components/TableScroll";
import { Time } from "../components/Time";
import { links } from "../router";

const STATE = {
  pending: ["pending", "Pending"],
  delivered: ["ok", "Delivered"],
  dead: ["error", "Given up"],
} as const;

export function DeliveriesTable({
  deliveries,
  withObjective,
}: {
  deliveries: Delivery[];
  withObjective?: boolean;
}) {
  const now = useNow(1000);
  if (deliveries.length === 0)
    return (
      <p class="faint">
        Nothing has been sent. If you expected something, check that a receiver is configured under{" "}
        <code>extensions::slo::receivers</code>.
      </p>
    );
  return (
    <TableScroll label="Deliveries">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Receiver</th>
            {withObjective && <th scope="col">Objective</th>}
            <th scope="col">Tells</th>
            <th scope="col">Since</th>
            <th scope="col" class="r">
              Attempts
            </th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          {deliveries.map((d) => (
            <tr key={d.id} class={d.state === "dead" ? "is-page" : ""}>
              <td>
                <span class={`pill pill-${STATE[d.state][0]}`}>
                  <Icon name={STATE[d.state][0]} />
                  {STATE[d.state][1]}
                </span>
              </td>
              <td>{d.receiver}</td>
              {withObjective && (
                <td>
                  <a href={links.objective(d.objective)}>{d.objective}</a>
                </td>
              )}
              <td>{d.transition}</td>
              <td>
                <Time at={d.created_at} now={now} />
              </td>
              <td class="r num">{d.attempts}</td>
              <td>
                <Outcome delivery={d} now={now} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function Outcome({ delivery: d, now }: { delivery: Delivery; now: Date }) {
  if (d.state === "delivered" && d.delivered_at) {
    return (
      <>
        at <Time at={d.delivered_at} now={now} />
      </>
    );
  }
  return (
    <>
      {d.state === "pending" && d.next_attempt_at && (
        <>
          next try at <Time at={d.next_attempt_at} now={now} />{" "}
        </>
      )}
      {d.last_error && <span class="error-text">{d.last_error}</span>}
    </>
  );
}
