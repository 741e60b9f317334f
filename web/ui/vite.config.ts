import { defineConfig } from "vitest/config";
import { mockApi } from "./mock/plugin.ts";

// SLOWBURN_API=http://127.0.0.1:8080 npm run dev  → a running gateway instead of the mock API.
const gateway = process.env.SLOWBURN_API;

export default defineConfig({
  base: "./", // asset URLs are relative: the dashboard works under any base path
  plugins: gateway ? [] : [mockApi()],
  server: {
    host: "127.0.0.1",
    proxy: gateway ? { "/api": gateway, "/jaeger": gateway, "/readyz": gateway } : undefined,
  },
  preview: { host: "127.0.0.1" },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // data: URLs would need an exception in the Content-Security-Policy
  },
  // Nothing waits for real time: what is slow has a busy machine below it.
  test: {
    environment: "node",
    include: ["test/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    testTimeout: 60_000,
  },
});
