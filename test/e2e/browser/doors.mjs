// Checks the gateway's answers to requests of other origins, with the headers of a real browser. evil.example is another name of the
// gateway's address, as after DNS rebinding; the page of another site is at a second address. Screenshots go to a directory.
//   node doors.mjs http://127.0.0.1:8080 http://127.0.0.1:9090 DIRECTORY

import assert from "node:assert/strict";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Session } from "./session.mjs";

const [base, other, artifacts] = process.argv.slice(2);
const session = await Session.start(base, artifacts);
const { open, check, accessible } = session;
const port = new URL(base).port;

// A user behind a proxy is no operator.
const reader = await open({ extraHTTPHeaders: { "X-Forwarded-For": "192.0.2.1" } });
await check("no-operator", reader, "#/sampling", async (page) => {
  await page.getByText("You can look, but not change anything.").waitFor();
  assert.ok(await page.getByRole("button", { name: "Reload policies" }).isDisabled());
  await accessible(page);
});
const operator = await open();
await check("operator", operator, "#/sampling", async (page) => {
  const reload = page.getByRole("button", { name: "Reload policies" });
  await reload.waitFor();
  assert.ok(await reload.isEnabled());
  await reload.click();
  await page.getByText(/the policies are|nothing|version/i).first().waitFor();
});

// The requests below are refused, which the browser logs as errors: this browser is not the session's, which fails on logged errors.
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    `--host-resolver-rules=MAP evil.example 127.0.0.1`],
});

async function refused(name, see) {
  const page = await browser.newPage();
  try {
    await see(page);
    session.passed++;
    console.log(`ok   ${name}`);
  } catch (error) {
    session.complaints.push(`${name}: ${error.message}`);
    console.log(`FAIL ${name}`);
  }
  await page.screenshot({ path: join(artifacts, `${name}.png`) });
  await page.close();
}

await refused("unknown-name", async (page) => {
  const answer = await page.goto(`http://evil.example:${port}/`);
  assert.equal(answer.status(), 421);
  await page.getByRole("heading", { name: "slowburn does not know this name" }).waitFor();
  await page.getByText("hosts: [evil.example]").waitFor();
  // The attacker's page is at the same address, and sends requests with the name that it was loaded by.
  const status = await page.evaluate(async () => (await fetch("/api/traces/v1/search")).status);
  assert.equal(status, 421);
});

await refused("foreign-page", async (page) => {
  await page.goto(other);
  // Four requests, whose answers the page cannot read: the test reads the gateway's count of refused ones.
  const read = await page.evaluate(async (gateway) => {
    const outcome = (promise) => promise.then((r) => r.status, () => "nothing");
    return [
      await outcome(fetch(`${gateway}/api/v1/query?query=up`, { mode: "no-cors" })),
      await outcome(fetch(`${gateway}/api/v1/query?query=up`)),
      await outcome(fetch(`${gateway}/api/sampling/v1/policies/reload`, { method: "POST", mode: "no-cors" })),
      await new Promise((done) => {
        const image = new Image();
        image.onload = () => done("an image");
        image.onerror = () => done("nothing");
        image.src = `${gateway}/jaeger/api/services`;
      }),
    ];
  }, base);
  assert.deepEqual(read, ["nothing", "nothing", "nothing", "nothing"]);
  const link = await page.goto(`${base}/`);
  assert.equal(link.status(), 200, "a link to the pages is answered");
});

await browser.close();
await session.end();
