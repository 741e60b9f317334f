import { describe, expect, it } from "vitest";
import * as tree from "../src/trace/model";
import { nano, outline, span } from "./span";

const shop = outline(`
  web GET 0-100
    cart list 5-30
      redis get 10-20
    pay charge 40-90!
      bank auth 50-80!
        bank lookup 60-70
    mail send 91-99
  late job 120-150
`);
const m = tree.buildModel(shop);
const none = () => new Uint8Array(shop.length);
const rows = (collapsed: Uint8Array) => [...tree.visibleRows(m, collapsed)];
const closed = (...indexes: number[]) => Uint8Array.from(shop, (_, i) => (indexes.includes(i) ? 1 : 0));

describe("buildModel", () => {
  it("finds parents and where subtrees end", () => {
    expect([...m.parent]).toEqual([-1, 0, 1, 0, 3, 4, 0, -1]);
    expect([...m.subtreeEnd]).toEqual([7, 3, 3, 6, 6, 6, 7, 8]);
  });
  it("counts times from the earliest start", () => {
    expect([...m.start]).toEqual([0, 5, 10, 40, 50, 60, 91, 120]);
    expect(m.corrected).toEqual({ from: 0, to: 150 });
    expect(m.hasCorrection).toBe(false);
  });
  it("numbers services as they come", () => {
    expect(m.services).toEqual(["web", "cart", "redis", "pay", "bank", "mail", "late"]);
    expect([...m.service]).toEqual([0, 1, 2, 3, 4, 4, 5, 6]);
  });
  it("counts the errors that a row would hide", () => {
    expect(shop.map((_, i) => tree.errorsBelow(m, i))).toEqual([2, 0, 0, 1, 0, 0, 0, 0]);
    expect([...tree.errorIndexes(m)]).toEqual([3, 4]);
  });
  it("keeps raw and corrected times apart", () => {
    const skewed = tree.buildModel([
      span(),
      span({
        depth: 1,
        start_unix_nano: nano(-500),
        end_unix_nano: nano(-450),
        corrected_start_unix_nano: nano(20),
        corrected_end_unix_nano: nano(70),
        uncertainty_ns: "12",
      }),
    ]);
    expect(skewed.hasCorrection).toBe(true);
    expect([skewed.start[1], skewed.rawStart[1], skewed.uncertainty[1]]).toEqual([20, -500, 12]);
    expect(skewed.corrected).toEqual({ from: 0, to: 100 });
    expect(skewed.raw).toEqual({ from: -500, to: 100 });
  });
  it("leaves unknown and impossible times out of the range", () => {
    const odd = tree.buildModel([
      span(),
      span({ depth: 1, start_unix_nano: "0", end_unix_nano: "0" }),
      span({ depth: 1, corrected_start_unix_nano: nano(50), corrected_end_unix_nano: nano(40) }),
    ]);
    expect(odd.rawStart[1]).toBeNaN();
    expect(odd.raw).toEqual({ from: 0, to: 100 });
    expect(odd.end[2]).toBe(50);
  });
  it("is never without a range", () => {
    expect(tree.buildModel([]).corrected).toEqual({ from: 0, to: 1 });
    const instant = tree.buildModel([span({ corrected_end_unix_nano: nano(0) })]);
    expect(instant.corrected).toEqual({ from: 0, to: 1 });
  });
});

describe("visibleRows", () => {
  it("shows all at first", () => expect(rows(none())).toEqual([0, 1, 2, 3, 4, 5, 6, 7]));
  it("skips what is inside a collapsed span", () => {
    expect(rows(closed(3))).toEqual([0, 1, 2, 3, 6, 7]);
    expect(rows(closed(0))).toEqual([0, 7]);
    expect(rows(closed(1, 4))).toEqual([0, 1, 3, 4, 6, 7]);
  });
  it("agrees with asking every ancestor, for any tree and any choice", () => {
    let seed = 7;
    const next = (n: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % n;
    };
    for (let round = 0; round < 50; round++) {
      let depth = 0;
      const spans = Array.from({ length: 1 + next(60) }, (_, i) => {
        depth = i === 0 ? 0 : next(Math.min(depth + 2, 9));
        return span({ depth });
      });
      const model = tree.buildModel(spans);
      const collapsed = Uint8Array.from(spans, () => (next(3) === 0 ? 1 : 0));
      const expected: number[] = [];
      for (let i = 0; i < spans.length; i++) {
        let hidden = false;
        for (let p = model.parent[i]; p >= 0; p = model.parent[p]) hidden ||= collapsed[p] === 1;
        if (!hidden) expected.push(i);
      }
      const visible = tree.visibleRows(model, collapsed);
      expect([...visible]).toEqual(expected);
      for (let i = 0; i < spans.length; i++) {
        // The row that stands for a span: itself, else its outermost collapsed ancestor.
        let stand = i;
        for (let p = model.parent[i]; p >= 0; p = model.parent[p]) if (collapsed[p]) stand = p;
        expect(visible[tree.rowOf(visible, i)]).toBe(stand);
      }
    }
  });
});

describe("collapsing", () => {
  it("toggles spans with children only", () => {
    expect(rows(tree.toggled(m, none(), 3))).toEqual([0, 1, 2, 3, 6, 7]);
    expect(rows(tree.toggled(m, closed(3), 3))).toEqual(rows(none()));
    expect([...tree.toggled(m, none(), 6)]).toEqual([...none()]);
  });
  it("reveals a span by opening what is above it only", () => {
    const all = closed(0, 1, 3, 4);
    expect([...tree.reveal(m, all, 5)]).toEqual([...closed(1)]);
    expect([...all]).toEqual([...closed(0, 1, 3, 4)]); // a copy
  });
  it("collapses all below the roots", () => expect(rows(tree.collapseAll(m))).toEqual([0, 1, 3, 6, 7]));
  it("leaves the ways to errors open", () =>
    expect(rows(tree.collapseWithoutErrors(m))).toEqual([0, 1, 3, 4, 6, 7]));
});

it("windowOf gives the rows in sight and some more", () => {
  expect(tree.windowOf(0, 260, 26, 1000, 0)).toEqual([0, 10]);
  expect(tree.windowOf(13, 260, 26, 1000, 0)).toEqual([0, 11]);
  expect(tree.windowOf(2600, 260, 26, 1000, 8)).toEqual([92, 118]);
  expect(tree.windowOf(25_900, 260, 26, 1000, 8)).toEqual([988, 1000]);
  expect(tree.windowOf(99_999, 260, 26, 5, 8)).toEqual([5, 5]);
});

it("step goes round", () => {
  const found = Int32Array.of(3, 4, 9);
  expect(tree.step(found, 0, 1)).toBe(3);
  expect(tree.step(found, 4, 1)).toBe(9);
  expect(tree.step(found, 9, 1)).toBe(3);
  expect(tree.step(found, 4, -1)).toBe(3);
  expect(tree.step(found, 3, -1)).toBe(9);
  expect(tree.step(new Int32Array(), 3, 1)).toBe(-1);
});

it("takes a chain as deep as it is long", () => {
  const n = 50_000;
  const chain = tree.buildModel(Array.from({ length: n }, (_, depth) => span({ depth })));
  expect(chain.parent[n - 1]).toBe(n - 2);
  expect(chain.subtreeEnd[0]).toBe(n);
  expect(tree.visibleRows(chain, tree.collapseAll(chain))).toHaveLength(2);
});
