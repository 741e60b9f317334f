// Routes live in the URL's fragment: #/traces?service=checkout. The server then needs to know one page only, and the
// dashboard can be mounted under any path without being told which.

import { useEffect, useState } from "preact/hooks";

export interface Route {
  /** Decoded path segments: ["objectives", "checkout-availability"]. */
  path: string[];
  params: URLSearchParams;
}

export function parseHash(hash: string): Route {
  const [path, query = ""] = splitOnce(hash.replace(/^#\/?/, ""), "?");
  return { path: path.split("/").filter(Boolean).map(decode), params: new URLSearchParams(query) };
}

function splitOnce(s: string, at: string): [string, string?] {
  const i = s.indexOf(at);
  return i < 0 ? [s] : [s.slice(0, i), s.slice(i + 1)];
}

/** A segment that is not valid percent-encoding stands for itself. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

/** The link to a route. Empty parameters are left out. */
export function href(path: string[], query: Query | URLSearchParams = {}): string {
  const params = new URLSearchParams();
  const entries = query instanceof URLSearchParams ? query.entries() : Object.entries(query);
  for (const [key, value] of entries) {
    if (value !== null && value !== undefined && value !== "" && value !== false)
      params.append(key, String(value));
  }
  const search = params.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`;
}

export function navigate(to: string, { replace = false } = {}): void {
  try {
    if (replace) history.replaceState(null, "", to);
    else history.pushState(null, "", to);
  } catch {
    location.replace(to); // some browsers refuse more than 100 changes in 30 s; this fires hashchange by itself
    return;
  }
  window.dispatchEvent(new Event("hashchange"));
}

/**
 * Changes some parameters of the page on screen (null removes one), without a new entry in the browser's history. Where the reader
 * has gone to another page meanwhile, it does nothing: who changes parameters after a rest must not bring the old page back.
 */
export function replaceParams(route: Route, change: Query): void {
  const now = parseHash(location.hash);
  if (href(now.path) !== href(route.path)) return;
  for (const [key, value] of Object.entries(change)) {
    if (value === null || value === undefined || value === "" || value === false) now.params.delete(key);
    else now.params.set(key, String(value));
  }
  navigate(href(now.path, now.params), { replace: true });
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseHash(location.hash));
  useEffect(() => {
    const changed = () => setRoute(parseHash(location.hash));
    // Back and forward between pushed states fire popstate, and hashchange only where the fragment differs.
    window.addEventListener("hashchange", changed);
    window.addEventListener("popstate", changed);
    return () => {
      window.removeEventListener("hashchange", changed);
      window.removeEventListener("popstate", changed);
    };
  }, []);
  return route;
}

/** Links to the screens, so that no screen spells another's route. */
export const links = {
  objectives: (query: Query | URLSearchParams = {}) => href([], query),
  objective: (name: string, query: Query = {}) => href(["objectives", name], query),
  traces: (query: Query = {}) => href(["traces"], query),
  trace: (id: string, query: Query = {}) => href(["traces", id], query),
  sampling: (query: Query = {}) => href(["sampling"], query),
  alerts: () => href(["alerts"]),
};
