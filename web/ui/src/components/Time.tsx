import { useNow } from "../api/usePoll";
import { ago, clockTime, moment, zone } from "../lib/time";

/** A moment in the viewer's zone; pointing at it shows UTC. */
export function Time({
  at,
  now,
  millis,
  withZone,
}: {
  at: string | Date;
  now?: Date;
  millis?: boolean;
  withZone?: boolean;
}) {
  const iso = new Date(at);
  if (Number.isNaN(iso.getTime())) return <>–</>;
  return (
    <time
      class="num nowrap"
      dateTime={iso.toISOString()}
      title={`${iso.toISOString()}, shown in ${zone(iso)}`}
    >
      {now ? moment(iso, now, millis) : clockTime(iso, millis)}
      {withZone && ` ${zone(iso)}`}
    </time>
  );
}

/** "19 min ago" or "just now", renewed as it grows. */
export function Age({ at }: { at: string | Date }) {
  const now = useNow(1000);
  return <span class="num nowrap">{ago(at, now)}</span>;
}
