import { useNow } from "../api/usePoll";
import { durationSeconds } from "../lib/format";

/** A countdown to the next evaluation; nothing if its time is unknown or past. */
export function NextEvaluation({ at }: { at: string | null }) {
  const now = useNow(1000);
  if (!at) return null;
  const seconds = Math.ceil((new Date(at).getTime() - now.getTime()) / 1000);
  if (seconds <= 0) return null;
  return <span>First evaluation in {durationSeconds(seconds)}.</span>;
}
