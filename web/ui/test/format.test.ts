import { describe, expect, it } from "vitest";
import * as f from "../src/lib/format";

/** Narrow no-break spaces as plain ones, to keep the expectations readable. */
const plain = (s: string) => s.replaceAll("\u202f", " ");

describe("durationNs", () => {
  it.each([
    [0, "0 s"],
    [1, "1 ns"],
    [850, "850 ns"],
    [999.9, "1 µs"],
    [12_300, "12.3 µs"],
    [999_960, "1 ms"],
    [4_560_000, "4.56 ms"],
    [100_000_000, "100 ms"],
    [1_250_000_000, "1.25 s"],
    [59_900_000_000, "59.9 s"],
    [59_990_000_000, "1 m"],
    [125e9, "2 m 05 s"],
    [3600e9, "1 h"],
    [(3 * 3600 + 600) * 1e9, "3 h 10 m"],
    [86400e9, "1 d"],
    [(12 * 86400 + 4 * 3600) * 1e9, "12 d 4 h"],
    [-1_500_000, "−1.5 ms"],
  ])("%d ns is %s", (ns, text) => expect(plain(f.durationNs(ns))).toBe(text));

  it("has no value for what is none", () => {
    expect(f.durationNs(null)).toBe(f.NONE);
    expect(f.durationNs(Number.NaN)).toBe(f.NONE);
    expect(f.durationSeconds(Infinity)).toBe(f.NONE);
  });

  it("carries into the next unit rather than showing 60 of one", () => {
    for (let s = 1; s < 200_000; s += 7) {
      const text = plain(f.durationSeconds(s + 0.5));
      expect(text).not.toMatch(/\b60 [ms]\b/);
      expect(text).not.toMatch(/\b24 h\b/);
    }
  });
});

describe("percent", () => {
  it.each([
    [0, "0 %"],
    [1, "100 %"],
    [0.999, "99.9 %"],
    [0.9995, "99.95 %"],
    [0.99999, "99.999 %"],
    [0.0214, "2.14 %"],
    [0.1718, "17.2 %"],
    [-0.377, "−37.7 %"],
    [1.25, "125 %"],
    [92.706, "9,271 %"],
    [-1234.5, "−123,450 %"],
    [0.95, "95 %"],
    [0.9, "90 %"],
  ])("%d is %s", (ratio, text) => expect(plain(f.percent(ratio))).toBe(text));

  it("never claims 100 % for less, nor 0 % for more", () => {
    expect(plain(f.percent(0.9999999))).not.toBe("100 %");
    expect(plain(f.percent(0.99996))).toBe("99.996 %");
    expect(plain(f.percent(1e-9))).toBe("< 0.001 %");
    expect(plain(f.percent(-1e-9))).toBe("> −0.001 %");
  });

  it("has no value for the ratio of no events", () => expect(f.percent(null)).toBe("–"));
});

describe("count", () => {
  it.each([
    [0, "0"],
    [0.25, "0.25"],
    [7, "7"],
    [999, "999"],
    [1234, "1,234"],
    [9999, "9,999"],
    [9999.6, "10k"],
    [12_345, "12.3k"],
    [999_499, "999k"],
    [999_500, "1M"],
    [4_500_000, "4.5M"],
    [2_330_000_000, "2.33G"],
    [-18_500, "−18.5k"],
  ])("%d is %s", (n, text) => expect(f.count(n)).toBe(text));
});

describe("burnRate", () => {
  it.each([
    [null, "–"],
    [0, "0×"],
    [0.004, "< 0.01×"],
    [0.05, "0.05×"],
    [0.254, "0.25×"],
    [1, "1×"],
    [14.4, "14.4×"],
    [999.4, "999×"],
    [1234, "1,234×"],
  ])("%s is %s", (x, text) => expect(f.burnRate(x)).toBe(text));
});

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [118_600_000, "113 MiB"],
    [268_435_456, "256 MiB"],
    [5 * 1024 ** 4, "5 TiB"],
  ])("%d is %s", (n, text) => expect(plain(f.bytes(n)).replace(",", "")).toBe(text));
});

it("plural knows one", () => {
  expect(f.plural(1, "span")).toBe("1 span");
  expect(f.plural(2, "span")).toBe("2 spans");
  expect(f.plural(0, "match", "matches")).toBe("0 matches");
});
