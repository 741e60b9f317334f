// Numbers as people read them at three in the morning: few digits, a unit on each, and a dash where there is none.

/** The text for "no value". */
export const NONE = "–";

const THIN = "\u202f"; // narrow no-break space between a number and its unit

/** At most `digits` significant digits, without trailing zeros and without an exponent. */
export function significant(x: number, digits = 3): string {
  if (x === 0) return "0";
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(x))));
  return trimZeros(x.toFixed(Math.min(decimals, 20)));
}

function trimZeros(s: string): string {
  return s.includes(".") ? s.replace(/\.?0+$/, "") : s;
}

/** minus uses the typographic sign, which is as wide as a digit. */
function minus(s: string): string {
  return s.replace("-", "−");
}

const SUB_SECOND: [number, string][] = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
  [1, "ns"],
];

/** A duration given in nanoseconds: 850 ns, 12.3 ms, 1.25 s, 2 m 05 s, 3 d 4 h. */
export function durationNs(ns: number | null): string {
  if (ns === null || !Number.isFinite(ns)) return NONE;
  if (ns < 0) return `−${durationNs(-ns)}`;
  if (ns === 0) return `0${THIN}s`;
  if (ns >= 59.95e9) return durationSeconds(ns / 1e9);
  for (const [unit, name] of SUB_SECOND) {
    // 999.96 µs rounds to 1,000 µs with three digits: it is shown as 1 ms.
    if (ns >= unit * 0.9995 || unit === 1) return `${significant(ns / unit)}${THIN}${name}`;
  }
  return NONE;
}

export function durationMs(ms: number | null): string {
  return durationNs(ms === null ? null : ms * 1e6);
}

/** A duration given in seconds, in its two largest units: 45 s, 2 m 05 s, 3 h 10 m, 12 d 4 h. */
export function durationSeconds(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return NONE;
  if (seconds < 0) return `−${durationSeconds(-seconds)}`;
  if (seconds < 59.95) return durationNs(seconds * 1e9);
  const s = Math.round(seconds);
  const pad = (n: number) => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)}${THIN}m${s % 60 ? ` ${pad(s % 60)}${THIN}s` : ""}`;
  const m = Math.round(s / 60);
  if (m < 1440) return `${Math.floor(m / 60)}${THIN}h${m % 60 ? ` ${pad(m % 60)}${THIN}m` : ""}`;
  const h = Math.round(s / 3600);
  return `${Math.floor(h / 24)}${THIN}d${h % 24 ? ` ${h % 24}${THIN}h` : ""}`;
}

/** A ratio as a percentage: 0.9995 → 99.95 %. A value below 1 is never rounded up to 100 %, nor one above 0 down to 0 %. */
export function percent(ratio: number | null, digits = 3): string {
  if (ratio === null || !Number.isFinite(ratio)) return NONE;
  const p = ratio * 100;
  const abs = Math.abs(p);
  let s: string;
  if (abs > 90 && abs < 100) {
    // 99.9 and 99.95 are different promises: as many decimals as distinguish it from 100.
    const decimals = Math.min(6, Math.max(digits - 2, Math.ceil(-Math.log10(100 - abs)) + 1));
    s = trimZeros(p.toFixed(decimals));
  } else if (abs !== 0 && abs < 0.001) {
    return `${p < 0 ? "> −" : "< "}0.001${THIN}%`;
  } else {
    s = abs >= 1000 ? exact(Math.round(p)) : significant(p, digits);
  }
  return `${minus(s)}${THIN}%`;
}

/** A count in a few characters: 999, 1,234, 12.3k, 4.5M. Exact below ten thousand. */
export function count(n: number | null): string {
  if (n === null || !Number.isFinite(n)) return NONE;
  const abs = Math.abs(n);
  const sign = n < 0 ? "−" : "";
  if (abs < 9999.5) {
    const rounded = abs < 10 ? Number(significant(abs, 2)) : Math.round(abs);
    return sign + rounded.toLocaleString("en-US");
  }
  for (const [unit, name] of [
    [1e3, "k"],
    [1e6, "M"],
    [1e9, "G"],
    [1e12, "T"],
  ] as const) {
    if (abs < unit * 999.5 || unit === 1e12) return `${sign}${significant(abs / unit)}${name}`;
  }
  return NONE;
}

/** A count with all of its digits. */
export function exact(n: number): string {
  return minus(n.toLocaleString("en-US", { maximumFractionDigits: 2 }));
}

/** Bytes in binary units, as memory budgets are given. */
export function bytes(n: number | null): string {
  if (n === null || !Number.isFinite(n)) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  let x = n;
  while (x >= 1023.5 && i < units.length - 1) {
    x /= 1024;
    i++;
  }
  return `${significant(x)}${THIN}${units[i]}`;
}

/** A burn rate: 14.4×. 1× spends the budget exactly by the end of its window. */
export function burnRate(x: number | null): string {
  if (x === null || !Number.isFinite(x)) return NONE;
  if (x === 0) return "0×";
  if (x < 0.01) return "< 0.01×";
  return `${x >= 1000 ? count(x) : significant(x, x < 1 ? 2 : 3)}×`;
}

/** "1 span", "2 spans". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
