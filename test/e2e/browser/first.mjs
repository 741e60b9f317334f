// Opens the pages of a gateway that has just started. Screenshots go to a directory.
//   node first.mjs http://127.0.0.1:8080 DIRECTORY nothing     before the first span
//   node first.mjs http://127.0.0.1:8080 DIRECTORY unkept      after 20 traces, none of which was kept
//   node first.mjs http://127.0.0.1:8080 DIRECTORY cors URL    posts spans to URL from pages of an allowed and of another origin

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { Session } from "./session.mjs";

const [base, artifacts, state, url] = process.argv.slice(2);
const session = await Session.start(base, artifacts);
const { open, check, accessible } = session;

async function addresses(page) {
  const blocks = page.locator(".first-steps code");
  await blocks.first().waitFor();
  assert.match(await blocks.first().textContent(), /^OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/127\.0\.0\.1:\d+\nOTEL_EXPORTER_OTLP_PROTOCOL=http\/protobuf$/);
  assert.match(await blocks.nth(1).textContent(), /PROTOCOL=grpc$/);
  await page.getByRole("button", { name: "Copy the variables for HTTP" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await blocks.first().textContent());
}

/** Also matches a page after the first evaluation, which a slow machine may show. */
const COUNTDOWN = /First evaluation in \d+|Evaluated until/i;

const nothing = {
  traces: ["#/traces", async (page) => {
    await page.getByRole("heading", { name: "No span has come yet" }).waitFor();
    await addresses(page);
  }],
  sampling: ["#/sampling", addresses],
  objectives: ["", async (page) => page.getByText(COUNTDOWN).first().waitFor()],
  objective: ["#/objectives/availability", async (page) => {
    await page.getByText("No span has come since the start.").waitFor();
    await page.getByText(COUNTDOWN).first().waitFor();
    await addresses(page);
  }],
  advice: ["#/alerts", async (page) => {
    await page.locator(".health.notice-hint").getByText(/no receiver is configured/).waitFor();
    assert.equal(await page.locator(".health.notice-error").count(), 0);
  }],
};

const unkept = {
  traces: ["#/traces", async (page) => {
    await page.getByRole("heading", { name: /^20 traces came, none was kept$/ }).waitFor();
    await page.getByText("The policy rest keeps 1 % of ordinary traces.").waitFor();
  }],
  objective: ["#/objectives/absent", async (page) =>
    page.getByText(/No span of a service absent has come\. Services since the start: .*cart, checkout/).waitFor()],
};

/** Posts a span from a page of an origin, as a browser's exporter does. Returns the status, or the name of the error. */
async function post(origin) {
  const page = await (await session.browser.newContext()).newPage();
  await page.goto(origin);
  const span = { traceId: "5b8efff798038103d269b633813fc60c", spanId: "eee19b7ec3c1b174", name: "click", kind: 1,
    startTimeUnixNano: "1544712660000000000", endTimeUnixNano: "1544712661000000000" };
  const body = { resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ spans: [span] }] }] };
  return page.evaluate(async ([to, text]) => {
    try {
      return (await fetch(to, { method: "POST", headers: { "Content-Type": "application/json" }, body: text })).status;
    } catch (error) {
      return error.name;
    }
  }, [url, JSON.stringify(body)]);
}

if (state === "cors") {
  const pages = createServer((_, res) => res.setHeader("Content-Type", "text/html").end("<!doctype html><title>shop</title>"));
  pages.listen(0, "127.0.0.1");
  await once(pages, "listening");
  const { port } = pages.address();
  try { // the gateway allows all ports of localhost, and none of 127.0.0.1
    assert.equal(await post(`http://localhost:${port}/`), 200, "an allowed origin");
    assert.equal(await post(`http://127.0.0.1:${port}/`), "TypeError", "an origin that is not allowed");
    session.passed += 2;
  } catch (error) {
    session.complaints.push(error.message);
  }
  pages.closeAllConnections();
  pages.close();
} else {
  for (const colorScheme of ["light", "dark"]) {
    const page = await open({ colorScheme, viewport: { width: 1280, height: 900 }, permissions: ["clipboard-read", "clipboard-write"] });
    for (const [name, [route, see]] of Object.entries({ nothing, unkept }[state])) {
      await check(`first-${state}-${name}-${colorScheme}`, page, route, async () => {
        await see(page);
        await accessible(page);
      });
    }
  }
}
await session.end();
