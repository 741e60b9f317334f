// A Chromium with its checks and their failures.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export class Session {
  complaints = [];
  passed = 0;

  /** Starts a browser for the dashboard at base. Screenshots go to the directory artifacts. */
  static async start(base, artifacts) {
    const s = new Session();
    Object.assign(s, { base, artifacts });
    s.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"],
    });
    return s;
  }

  /** Opens a page. Errors of its scripts, and requests to other hosts, are failures. */
  open = async (options) => {
    const context = await this.browser.newContext({ bypassCSP: false, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(120_000); // long, for a busy machine
    page.on("pageerror", (error) => this.complaints.push(`script error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(`console: ${message.text()}`);
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(this.base) && !url.startsWith("data:")) this.complaints.push(`a request leaves the host: ${url}`);
    });
    return page;
  };

  /** Runs one check on a page at a route. */
  check = async (name, page, route, see) => {
    await page.goto(`${this.base}/${route}`);
    try {
      await see(page);
      this.passed++;
      console.log(`ok   ${name}`);
    } catch (error) {
      this.complaints.push(`${name}: ${error.message}`);
      console.log(`FAIL ${name}`);
    }
    await page.screenshot({ path: join(this.artifacts, `${name}.png`), fullPage: false });
  };

  accessible = async (page) => {
    // axe is a dependency of this package. The debugger evaluates it, to which the page's Content-Security-Policy does not apply.
    await page.evaluate(await readFile(axe, "utf8"));
    const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
    const grave = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
    assert.deepEqual(grave.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")}`), []);
  };

  /** Closes the browser, prints the failures, and ends the process. */
  async end() {
    await this.browser.close();
    for (const complaint of this.complaints) console.log(complaint);
    console.log(`${this.passed} passed, ${this.complaints.length} failed`);
    process.exit(this.complaints.length > 0 ? 1 : 0);
  }
}
