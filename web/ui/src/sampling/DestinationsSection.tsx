import type { Destination, Destinations } from "../api/types";
import { useNow } from "../api/usePoll";
import { Icon } from "../components/Icon";
import { Age, Time } from "../components/Time";
import { bytes, durationSeconds, exact, percent, plural } from "../lib/format";
import { Refused } from "./Refused";
import { ANSWER, DESTINATION_STATE, nextTry, overShare, whatItTakes, whenFull } from "./words";

/** The part of a destination's share from which on the bar warns. */
const HIGH = 0.8;

/** The destinations of kept traces: the backlog of each, its last answer, and the traces that it refused. */
export function DestinationsSection({
  destinations: d,
  onChange,
}: {
  destinations: Destinations;
  onChange: () => void;
}) {
  return (
    <section aria-labelledby="destinations">
      <h2 id="destinations">Destinations</h2>
      {d.destinations.length === 0 ? (
        <p class="faint">Kept traces go nowhere yet: name an exporter behind tail_sampling.</p>
      ) : (
        <>
          <p class="faint">
            A kept trace stays here until every destination has it. {bytes(d.used_bytes)} of the{" "}
            <code>delivery_budget</code> of {bytes(d.budget_bytes)} are used
            {d.budget_bytes > 0 && ` (${percent(d.used_bytes / d.budget_bytes, 2)})`}. {whenFull(d)}
          </p>
          <ul class="destinations">
            {d.destinations.map((one) => (
              <Row
                key={`${one.destination} in ${one.pipeline}`}
                destination={one}
                overBudget={d.used_bytes > d.budget_bytes}
              />
            ))}
          </ul>
        </>
      )}
      <Refused destinations={d} onChange={onChange} />
    </section>
  );
}

function Row({ destination: d, overBudget }: { destination: Destination; overBudget: boolean }) {
  const [kind, name] = DESTINATION_STATE[d.state] ?? ["no_data", d.state];
  return (
    <li class={`destination is-${kind}`}>
      <div class="d-name">
        <h3>{d.destination}</h3>
        <p class="faint">{whatItTakes(d)}</p>
      </div>
      <div class="d-state">
        <span class={`pill pill-${kind}`}>
          <Icon name={kind} />
          {name}
        </span>
        <State destination={d} />
      </div>
      <Backlog destination={d} overBudget={overBudget} />
      <Counts destination={d} />
      <LastAnswer destination={d} />
      {d.rejected_spans > 0 && d.rejected_why && (
        <p class="d-words">
          Spans of accepted requests were rejected: <q>{d.rejected_why}</q>
        </p>
      )}
    </li>
  );
}

/** The details of a state. */
function State({ destination: d }: { destination: Destination }) {
  const now = useNow(1000);
  const tries = nextTry(d, now);
  // Hidden from screen readers: a countdown would be read out each second.
  const countdown = tries && <span aria-hidden="true">{tries}</span>;
  switch (d.state) {
    case "slow":
      return <p>A call has had no answer for more than 10 s.</p>;
    case "refuses_gateway":
      return (
        <p>
          {d.refuses_since && (
            <>
              since <Time at={d.refuses_since} now={now} />
              {countdown && ", "}
            </>
          )}
          {countdown}
        </p>
      );
    case "retrying":
      return <p>{countdown}</p>;
    default:
      return d.backlog.traces === 0 ? <p class="faint">nothing waits</p> : null;
  }
}

function Backlog({
  destination: { backlog: b, share_bytes },
  overBudget,
}: {
  destination: Destination;
  overBudget: boolean;
}) {
  const share = share_bytes > 0 ? b.bytes / share_bytes : 0;
  return (
    <div class="d-backlog">
      <div class="spread">
        <b class="num" title={`${exact(b.traces)} traces, ${exact(b.spans)} spans`}>
          {plural(b.traces, "trace")} waiting
        </b>
        <span class="faint num">
          {bytes(b.bytes)}
          {b.traces > 0 && `, oldest ${durationSeconds(b.seconds)}`}
        </span>
      </div>
      <div
        class={`usage ${share >= HIGH ? "high" : ""}`}
        role="img"
        aria-label={`${percent(share, 2)} of its share`}
      >
        <i style={{ width: `${Math.min(1, share) * 100}%` }} />
      </div>
      <p class="faint num">{overShare(share, share_bytes, overBudget)}</p>
    </div>
  );
}

function Counts({ destination: d }: { destination: Destination }) {
  return (
    <dl class="d-counts">
      <Count name="Delivered" n={d.delivered_traces} unit="trace" title={plural(d.delivered_spans, "span")} />
      <Count name="Refused" n={d.refused_traces} unit="trace" warn />
      <Count
        name="Given up"
        n={d.undelivered_traces}
        unit="trace"
        title={`${plural(d.undelivered_spans, "span")}: over its share of delivery_budget, or refused for longer than refusal_patience`}
        warn
      />
      {d.rejected_spans > 0 && <Count name="Rejected" n={d.rejected_spans} unit="span" warn />}
      {d.apart_traces > 0 && (
        <Count
          name="Wait apart"
          n={d.apart_traces}
          unit="trace"
          title="each attempt fails, while other traces are accepted"
        />
      )}
      {d.retries > 0 && <Count name="Retried" n={d.retries} unit="time" />}
    </dl>
  );
}

function Count({
  name,
  n,
  unit,
  title,
  warn,
}: {
  name: string;
  n: number;
  unit: string;
  title?: string;
  warn?: boolean;
}) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd class={warn && n > 0 ? "num text-ticket" : "num"}>{plural(n, unit)}</dd>
    </div>
  );
}

function LastAnswer({ destination: { last_answer: a } }: { destination: Destination }) {
  if (!a) return <p class="d-words faint">It has not answered yet.</p>;
  return (
    <p class={a.class === "accepted" ? "d-words faint" : "d-words"}>
      Last answer: {ANSWER[a.class] ?? a.class}
      {a.code && (
        <>
          , <code>{a.code}</code>
        </>
      )}
      {a.text && (
        <>
          {" "}
          <q>{a.text}</q>
        </>
      )}
      <span class="faint">
        , at <Time at={a.at} />, <Age at={a.at} />
      </span>
    </p>
  );
}
