// Opens every page of a running dashboard in Chromium and checks it. Screenshots go to a directory.
//   node pages.mjs http://127.0.0.1:8080 DIRECTORY

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { Session } from "./session.mjs";

const [base, artifacts] = process.argv.slice(2);
const session = await Session.start(base, artifacts);
const { open, check, accessible, complaints } = session;

async function json(path) {
  const response = await fetch(`${base}${path}`);
  assert.equal(response.status, 200, path);
  return response.json();
}

const { objectives } = await json("/api/slo/v1/objectives");
const burning = objectives.find((o) => o.events.bad > 0);
const failed = (await json("/api/traces/v1/search?error=true")).traces[0];

async function objectivesPage(page) {
  for (const o of objectives) await page.getByRole("link", { name: o.name, exact: true }).waitFor();
  assert.equal(await page.locator("li.objective").count(), objectives.length);
  await accessible(page);
}

async function objectivePage(page) {
  await page.getByRole("heading", { level: 1, name: burning.name }).waitFor();
  await page.locator("figure.chart canvas").first().waitFor();
  assert.ok((await page.locator("figure.chart").count()) >= 3, "three charts");
  await page.locator("section[aria-labelledby=tiers] table tbody tr").first().waitFor();
  await page.locator("section[aria-labelledby=breakdown]").waitFor();
  await accessible(page);
}

/** What a person who was woken looks for is on the first screen, and the charts are below it. */
async function firstScreen(page) {
  await objectivePage(page);
  await page.locator(".burned tbody tr").first().waitFor();
  const edge = (selector, side) => page.locator(selector).first().evaluate((e, side) => e.getBoundingClientRect()[side] + scrollY, side);
  let above = 0;
  for (const part of [".promise", ".figures", ".burned tbody tr"]) {
    const bottom = await edge(part, "bottom");
    assert.ok(bottom > above && bottom <= 900, `${part} ends ${bottom} px below the top`);
    above = bottom;
  }
  assert.ok((await edge("figure.chart", "top")) > above, "the charts are below what burned the budget");
}

async function tracesPage(page) {
  await page.locator(".results-table tbody tr").first().waitFor();
  assert.equal(await page.locator(".results-table tbody tr:not(.has-errors)").count(), 0, "only traces with errors");
  await accessible(page);
}

async function tracePage(page) {
  await page.getByRole("treegrid").waitFor();
  await page.getByRole("row").nth(2).waitFor();
  await page.getByText("errors", { exact: true }).first().waitFor(); // the policy that kept it
  await page.locator('[role="row"][tabindex="0"]').focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByLabel("Span", { exact: true }).waitFor();
  await accessible(page);
}

/** Checks a trace through catalog, whose clock is three seconds ahead: its spans must be within the trace. */
async function skewedTrace(page, id) {
  await page.getByRole("treegrid").waitFor();
  const trace = await json(`/api/traces/v1/traces/${id}`);
  assert.notEqual(trace.clock.status, "none", "the skewed clock was not detected");
  const moved = trace.spans.filter((s) => s.start_unix_nano !== s.corrected_start_unix_nano);
  assert.ok(moved.length > 0 && moved.every((s) => s.service === "catalog"), "catalog's spans, and no others, were moved");
  assert.ok(trace.summary.duration_ms < 3000, "the trace has its true duration");
}

async function skewed() {
  for (let tries = 0; tries < 60; tries++) {
    const { traces } = await json("/api/traces/v1/search?service=catalog&limit=200");
    for (const { trace_id } of traces) {
      const trace = await json(`/api/traces/v1/traces/${trace_id}`);
      if (trace.clock.status !== "none") return trace_id;
    }
    await setTimeout(1000);
  }
  assert.fail("no trace through catalog has a corrected clock after a minute");
}

async function samplingPage(page) {
  await page.getByRole("row", { name: /errors/ }).first().waitFor();
  const { policies } = await json("/api/sampling/v1/cost");
  assert.equal(await page.locator("section[aria-labelledby=policies] tbody tr").count(), policies.length);
  await page.locator("section[aria-labelledby=services] tbody tr").first().waitFor();
  await page.getByText(/^On disk$/).waitFor();
  await accessible(page);
}

/** Opens the explanation of a kept trace by the link on its page. */
async function whyPage(page) {
  await page.getByRole("link", { name: /^why\?/ }).click();
  await page.locator(".verdict").filter({ hasText: "Kept by errors" }).waitFor();
  const { votes } = await json(`/api/sampling/v1/decisions/${failed.trace_id}`);
  assert.equal(await page.locator(".votes tbody tr").count(), votes.length);
  await page.locator(".votes .decisive").filter({ hasText: "sampled it" }).waitFor();
  await accessible(page);
}

/** Reloads unchanged policies, which keeps version 1, and promotes the shadow, which makes version 2. */
async function reloadAndPromote(page) {
  await page.locator("section[aria-labelledby=shadow] tbody a").first().click();
  await page.locator(".verdict").waitFor();
  await page.getByRole("button", { name: "Reload policies" }).click();
  await page.getByText("Read again: version 1").waitFor();
  await page.getByRole("button", { name: "Promote shadow" }).click();
  await page.getByRole("group", { name: /^Let the shadow/ }).waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "Promote", exact: true }).click();
  await page.getByText("Version 2 decides now.").waitFor();
  await page.getByText(/promoted from the shadow/).waitFor();
  await accessible(page);
}

async function fitsScreen(page) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} px wider than the screen`);
}

for (const colorScheme of ["light", "dark"]) {
  const page = await open({ colorScheme, viewport: { width: 1280, height: 900 } });
  await check(`objectives-${colorScheme}`, page, "", objectivesPage);
  await check(`objective-${colorScheme}`, page, `#/objectives/${burning.name}`, objectivePage);
  await check(`traces-${colorScheme}`, page, "#/traces?error=true", tracesPage);
  await check(`trace-${colorScheme}`, page, `#/traces/${failed.trace_id}`, tracePage);
  await check(`sampling-${colorScheme}`, page, "#/sampling", samplingPage);
  await check(`why-${colorScheme}`, page, `#/traces/${failed.trace_id}`, whyPage);
  await check(`alerts-${colorScheme}`, page, "#/alerts", async () => {
    await page.getByRole("heading", { level: 1 }).waitFor();
    await accessible(page);
  });
}

const desk = await open({ viewport: { width: 1440, height: 900 } });
await check("objective-first-screen", desk, `#/objectives/${burning.name}`, firstScreen);

const page = await open({ viewport: { width: 1280, height: 900 } });
const skewedID = await skewed();
await check("skewed", page, `#/traces/${skewedID}`, () => skewedTrace(page, skewedID));
await check("click-through", page, "", async () => {
  await page.getByRole("link", { name: burning.name, exact: true }).click();
  await page.getByRole("heading", { level: 1, name: burning.name }).waitFor();
  await page.getByRole("link", { name: /traces/i }).last().click();
  await page.locator(".results-table tbody tr a").first().click();
  await page.getByRole("treegrid").waitFor();
});
await check("not-known", page, "#/sampling?trace=00000000000000000000000000000001", async () => {
  await page.getByText("it never came here").waitFor();
  complaints.splice(0, complaints.length, ...complaints.filter((c) => !c.includes("404"))); // the browser logs the 404
});
await check("not-found", page, "#/traces/00000000000000000000000000000001", async () => {
  await page.getByRole("alert").waitFor();
  complaints.splice(0, complaints.length, ...complaints.filter((c) => !c.includes("404"))); // the browser logs the 404
});

const phone = await open({ viewport: { width: 360, height: 740 }, isMobile: true });
await check("objectives-phone", phone, "", async () => {
  await objectivesPage(phone);
  await fitsScreen(phone);
});
await check("sampling-phone", phone, `#/sampling?trace=${failed.trace_id}`, async () => {
  await phone.locator(".verdict").waitFor();
  await samplingPage(phone);
  await fitsScreen(phone);
});
await check("trace-phone", phone, `#/traces/${failed.trace_id}`, async () => phone.getByRole("treegrid").waitFor());
await check("promote", page, "#/sampling", () => reloadAndPromote(page)); // last, because it changes the policies

await session.end();
