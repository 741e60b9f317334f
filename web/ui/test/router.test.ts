// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { href, links, navigate, parseHash, replaceParams } from "../src/router";

describe("parseHash", () => {
  it.each([
    ["", [], ""],
    ["#/", [], ""],
    ["#/traces?service=a%20b&error=true", ["traces"], "service=a+b&error=true"],
    ["#/objectives/a%2Fb%3Fc", ["objectives", "a/b?c"], ""],
    ["#objectives//x", ["objectives", "x"], ""],
    ["#/bad%ZZ", ["bad%ZZ"], ""],
  ])("%s", (hash, path, query) => {
    const route = parseHash(hash);
    expect(route.path).toEqual(path);
    expect(route.params.toString()).toBe(query);
  });
});

it("any name survives a link and back", () => {
  for (const name of ["checkout", "a/b", "50 %", "x?y#z&q=1", "ü✓", "..", "+"]) {
    const route = parseHash(links.objective(name, { range: "1h", q: name }));
    expect(route.path).toEqual(["objectives", name]);
    expect(route.params.get("q")).toBe(name);
  }
});

it("empty parameters are left out", () => {
  expect(href(["traces"], { service: "", error: false, policy: null, min_duration: undefined })).toBe(
    "#/traces",
  );
  expect(href(["traces"], { error: true, limit: 0 })).toBe("#/traces?error=true&limit=0");
});

it("replaceParams changes some, keeps the rest, and adds no history", () => {
  navigate("#/traces?service=checkout&error=true&policy=slow");
  const before = history.length;
  let heard = 0;
  window.addEventListener("hashchange", () => heard++);
  replaceParams(parseHash(location.hash), { service: "cart", error: null, policy: "" });
  expect(location.hash).toBe("#/traces?service=cart");
  expect(history.length).toBe(before);
  expect(heard).toBe(1);
});

describe("replaceParams after a rest", () => {
  const shown = "#/traces/0102?times=raw";
  it.each([
    ["leaves another page alone", "#/sampling", "#/sampling"],
    ["leaves another trace alone", "#/traces/0304?span=9", "#/traces/0304?span=9"],
    ["keeps what another control changed meanwhile", "#/traces/0102?q=db", "#/traces/0102?q=db&span=7"],
  ])("%s", (_, gone, want) => {
    navigate(shown);
    const route = parseHash(location.hash);
    navigate(gone);
    replaceParams(route, { span: "7" });
    expect(location.hash).toBe(want);
  });
});
