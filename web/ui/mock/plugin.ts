// Serves the mock API to `npm run dev` and `npm run preview`. GET /mock/scenario/{ok|empty|unkept|down|troubled|promoted|reverted|looking}
// switches its answers, to show the empty and the failed screens.

import type { ServerResponse } from "node:http";
import type { Connect, Plugin } from "vite";
import { type Answer, answer, type Scenario } from "./api.ts";

/** The gateway's Content-Security-Policy; the preview shows that the build works with it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; " +
  "base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

export function mockApi(): Plugin {
  let scenario: Scenario = "ok";
  const handle: Connect.NextHandleFunction = (req, res, next) => {
    const url = new URL(req.url ?? "/", "http://mock");
    const [top, ...path] = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
    if (top === "mock") {
      scenario = path[1] as Scenario;
      send(res, { status: 200, type: "application/json", body: { scenario } });
    } else if (top === "readyz") {
      send(res, answer([top], url.searchParams, scenario));
    } else if (top === "api") {
      if (req.method === "POST" && path.at(-1) === "promote") scenario = "promoted";
      else if (req.method === "POST" && scenario === "promoted") scenario = "reverted";
      send(res, answer(path, url.searchParams, scenario, req.method));
    } else {
      next();
    }
  };
  return {
    name: "mock-api",
    configureServer: (server) => void server.middlewares.use(handle),
    configurePreviewServer: (server) => {
      server.middlewares.use((_req, res, next) => {
        res.setHeader("Content-Security-Policy", POLICY);
        next();
      });
      server.middlewares.use(handle);
    },
  };
}

function send(res: ServerResponse, { status, type, body }: Answer) {
  res.statusCode = status;
  res.setHeader("Content-Type", type);
  res.end(JSON.stringify(body));
}
