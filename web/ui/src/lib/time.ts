// Moments and ranges of time.

const pad = (n: number, width = 2) => String(n).padStart(width, "0");

/** hh:mm:ss of the viewer's own zone. */
export function clockTime(at: Date | string, millis = false): string {
  const d = new Date(at);
  if (Number.isNaN(d.getTime())) return "–";
  const s = `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
  return millis ? `${s}.${pad(d.getMilliseconds(), 3)}` : s;
}

/** hh:mm:ss for a moment of today, with the date before it otherwise. */
export function moment(at: Date | string, now: Date, millis = false): string {
  const d = new Date(at);
  if (Number.isNaN(d.getTime())) return "–";
  if (d.toDateString() === now.toDateString()) return clockTime(d, millis);
  const year = d.getFullYear() === now.getFullYear() ? "" : ` ${d.getFullYear()}`;
  return `${shortDate(d)}${year}, ${clockTime(d, millis)}`;
}

/** The viewer's zone at a moment: "UTC", "UTC+1", "UTC−3:30". */
export function zone(at = new Date()): string {
  const minutes = -at.getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const abs = Math.abs(minutes);
  const rest = abs % 60 ? `:${pad(abs % 60)}` : "";
  return `UTC${minutes < 0 ? "−" : "+"}${Math.floor(abs / 60)}${rest}`;
}

/** "Nov 21". */
export function shortDate(d: Date): string {
  return d.toLocaleDateString("en-US", { month: "short", day: "numeric" });
}

/** A whole-unit age: "now", "40 s", "3 min", "5 h", "2 d". */
export function age(at: Date | string, now: Date): string {
  const s = Math.max(0, (now.getTime() - new Date(at).getTime()) / 1000);
  if (Number.isNaN(s)) return "–";
  if (s < 1) return "now";
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 129600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

/** An age in a sentence: "just now", "40 s ago". */
export function ago(at: Date | string, now: Date): string {
  const text = age(at, now);
  if (text === "–") return text;
  return text === "now" ? "just now" : `${text} ago`;
}

const UNIT_SECONDS: Record<string, number> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
  d: 86400,
  w: 604800,
};

/** Seconds of "90s", "1h30m", "100ms", "30d"; null when it is not a duration. */
export function parseDuration(text: string): number | null {
  const s = text.trim();
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+$/.test(s)) return null;
  let seconds = 0;
  for (const [, n, unit] of s.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)/g)) {
    seconds += Number(n) * UNIT_SECONDS[unit];
  }
  return seconds;
}

export interface TimeRange {
  start: Date;
  end: Date;
}

/** The range in URL parameters: an absolute start and end, else a length ("1h") that ends at `now`. */
export function resolveRange(params: URLSearchParams, fallback: string, now: Date): TimeRange {
  const start = new Date(params.get("start") ?? "");
  const end = new Date(params.get("end") ?? "");
  if (start < end) return { start, end };
  const seconds = parseDuration(params.get("range") ?? "") ?? parseDuration(fallback) ?? 3600;
  return { start: new Date(now.getTime() - seconds * 1000), end: now };
}

export function rangeSeconds(r: TimeRange): number {
  return (r.end.getTime() - r.start.getTime()) / 1000;
}

const STEPS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

/** The step in seconds, whole minutes, that gives a range at most `points` points. */
export function stepFor(seconds: number, points = 360): number {
  return STEPS.find((s) => seconds / s <= points) ?? Math.ceil(seconds / points / 86400) * 86400;
}

/** Nanoseconds between two moments given as decimal strings. Exact up to 104 days, which is 2^53 ns. */
export function nanosSince(t: string, base: string): number {
  const [ts, tn] = splitNanos(t);
  const [bs, bn] = splitNanos(base);
  return (ts - bs) * 1e9 + (tn - bn);
}

function splitNanos(s: string): [seconds: number, nanos: number] {
  const cut = s.length - 9;
  return cut > 0 ? [Number(s.slice(0, cut)), Number(s.slice(cut))] : [0, Number(s)];
}

/** The moment of a decimal string of nanoseconds, to the millisecond. */
export function nanosToDate(s: string): Date {
  return new Date(nanosSince(s, "0") / 1e6);
}

/** The value for an <input type="datetime-local">, in the viewer's zone. */
export function toLocalInput(d: Date): string {
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}T${clockTime(d)}`;
}

/** Round tick positions for an axis over [from, to]: 1, 2 or 5 times a power of ten, at most `n` of them. */
export function niceTicks(from: number, to: number, n: number): number[] {
  const span = to - from;
  if (!(span > 0) || n < 1) return [from];
  const raw = span / n;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) ?? raw;
  const ticks: number[] = [];
  for (let k = Math.ceil(from / step); k * step <= to + step * 1e-9; k++) ticks.push(k * step);
  return ticks;
}
