import { describe, expect, it } from "vitest";
import { assignColors, COLORS, colorOf } from "../src/lib/color";
import { badges } from "../src/trace/flags";
import { keyAction } from "../src/trace/keys";
import { barOf, labelSide } from "../src/trace/layout";
import * as tree from "../src/trace/model";
import { searchSpans, valueText } from "../src/trace/search";
import { outline, span } from "./span";

describe("keyAction", () => {
  const m = tree.buildModel(
    outline(`
      web a 0-9
        web b 1-5
          web c 2-3
        web d 6-8
    `),
  );
  const press = (key: string, active: number, closed: number[] = []) => {
    const collapsed = Uint8Array.from(m.spans, (_, i) => (closed.includes(i) ? 1 : 0));
    return keyAction(key, m, tree.visibleRows(m, collapsed), collapsed, active, 2);
  };
  const move = (index: number) => ({ type: "move", index });
  it.each([
    ["ArrowDown", 0, [], move(1)],
    ["ArrowDown", 3, [], move(3)],
    ["ArrowDown", 1, [1], move(3)],
    ["ArrowUp", 3, [1], move(1)],
    ["ArrowUp", 0, [], move(0)],
    ["Home", 3, [], move(0)],
    ["End", 0, [], move(3)],
    ["PageDown", 0, [], move(2)],
    ["PageUp", 3, [], move(1)],
    ["ArrowRight", 1, [1], { type: "toggle" }],
    ["ArrowRight", 1, [], move(2)],
    ["ArrowRight", 3, [], null],
    ["ArrowLeft", 1, [], { type: "toggle" }],
    ["ArrowLeft", 1, [1], move(0)],
    ["ArrowLeft", 2, [], move(1)],
    ["ArrowLeft", 0, [0], null],
    ["Enter", 2, [], { type: "open" }],
    [" ", 1, [], { type: "toggle" }],
    [" ", 2, [], { type: "open" }],
    ["z", 2, [], { type: "zoom" }],
    ["x", 2, [], null],
  ])("%s on %d with %j closed", (key, active, closed, action) =>
    expect(press(key, active, closed)).toEqual(action),
  );

  it("has nothing to do in an empty trace", () => {
    const empty = tree.buildModel([]);
    expect(keyAction("ArrowDown", empty, new Int32Array(), new Uint8Array(), 0, 5)).toBeNull();
  });
});

describe("barOf", () => {
  const view = { from: 100, to: 200 };
  it("is the part in view, in percent", () => {
    expect(barOf(100, 200, view)).toEqual({ left: 0, width: 100 });
    expect(barOf(125, 150, view)).toEqual({ left: 25, width: 25 });
    expect(barOf(0, 150, view)).toEqual({ left: 0, width: 50 });
    expect(barOf(150, 1e12, view)).toEqual({ left: 50, width: 50 });
    expect(barOf(150, 150, view)).toEqual({ left: 50, width: 0 });
  });
  it("is none outside", () => {
    expect(barOf(0, 99, view)).toBeNull();
    expect(barOf(201, 300, view)).toBeNull();
    expect(barOf(Number.NaN, Number.NaN, view)).toBeNull();
  });
  it("has its label where there is room", () => {
    expect(labelSide({ left: 10, width: 20 })).toBe("after");
    expect(labelSide({ left: 80, width: 20 })).toBe("before");
    expect(labelSide({ left: 1, width: 99 })).toBe("inside");
  });
});

describe("searchSpans", () => {
  const spans = [
    span({
      name: "POST /checkout",
      service: "checkout",
      attributes: { "http.response.status_code": 504, tags: ["eu", "beta"] },
    }),
    span({
      name: "SELECT",
      service: "payment",
      status: "error",
      status_message: "card declined",
      flags: ["late"],
    }),
    span({
      name: "send",
      service: "email",
      events: [{ name: "exception", time_unix_nano: "0", attributes: { "exception.type": "Boom" } }],
    }),
  ];
  it.each([
    ["", []],
    ["checkout", [0]],
    ["CHECKOUT post", [0]],
    ["checkout declined", []],
    ["status_code=504", [0]],
    ["status_code=50", [0]],
    ["status_code=200", []],
    ["beta", [0]],
    ["error", [1]],
    ["late", [1]],
    ["boom", [2]],
    ["e", [0, 1, 2]],
  ])("%j finds %j", (query, found) => expect([...searchSpans(spans, query)]).toEqual(found));
  it("writes any value on one line", () => {
    expect(valueText({ a: [1, null] })).toBe('{"a":[1,null]}');
    expect(valueText(null)).toBe("null");
    expect(valueText(true)).toBe("true");
  });
});

describe("colours", () => {
  const names = Array.from({ length: COLORS }, (_, i) => `service-${i}`);
  it("are the same for a service wherever it is alone", () => {
    for (const n of names) expect(assignColors([n]).get(n)).toBe(colorOf(n));
  });
  it("differ within a trace as long as there are enough", () => {
    expect(new Set(assignColors(names).values()).size).toBe(COLORS);
    expect(assignColors([...names].reverse())).toEqual(assignColors(names));
  });
  it("repeat when there are not", () => {
    const many = assignColors([...names, "one-more"]);
    expect(many.size).toBe(COLORS + 1);
    for (const c of many.values()) expect(c).toBeLessThan(COLORS);
  });
});

it("badges explain flags, known or not", () => {
  const found = badges(span({ synthetic: true, flags: ["own_parent", "brand_new"] }));
  expect(found.map((b) => b.text)).toEqual(["placeholder", "own parent", "brand new"]);
  expect(found[1].meaning).toContain("itself");
});
