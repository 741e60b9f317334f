// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { recipes } from "../../mock/traces";
import { all, button, click, open, root, text, world } from "./screen";

describe("traces", () => {
  const rows = () => all(".results-table tbody tr");
  it("pages with More, each trace once", async () => {
    await open("#/traces?range=7d");
    expect(rows()).toHaveLength(50);
    await click(button("More"));
    await click(button("More"));
    expect(rows()).toHaveLength(recipes.length);
    expect(new Set(all(".t-id").map((x) => x.textContent)).size).toBe(recipes.length);
    expect(button("More")).toBeUndefined();
    expect(all(".dot")).toHaveLength(recipes.length);
  });

  it("searches by what the URL says, and puts what is chosen there", async () => {
    await open("#/traces?service=payment&error=true&range=7d");
    expect(world.asked.some((a) => a.startsWith("/api/traces/v1/search?service=payment&error=true"))).toBe(
      true,
    );
    const some = rows().length;
    expect(some).toBeGreaterThan(0);
    await click(root.querySelector<HTMLElement>('input[type="checkbox"]') as HTMLElement);
    expect(location.hash).toBe("#/traces?service=payment&range=7d");
    expect(rows().length).toBeGreaterThan(some);
  });

  it("offers a way on when nothing matches", async () => {
    world.scenario = "empty";
    await open("#/traces?service=x&policy=errors");
    expect(text(".empty")).toContain("No kept trace matches");
    await click(button("Drop all conditions"));
    expect(location.hash).toBe("#/traces");
  });
});
