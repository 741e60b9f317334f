// How the dashboard talks to the gateway: JSON in, JSON or problem+json out, every URL relative to the document, so
// that the dashboard works under any base path.

/** A request that failed, with a sentence a person can act on. */
export class ApiError extends Error {
  override name = "ApiError";
  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    /** The error in few words. */
    readonly title: string,
    /** The remedy; may be empty. */
    readonly detail: string,
    /** Milliseconds the gateway asked to wait for (Retry-After). */
    readonly retryAfter: number | null = null,
  ) {
    super(detail ? `${title}: ${detail}` : title);
  }

  /** Whether the same request would fail again. */
  get permanent(): boolean {
    return this.status >= 400 && this.status < 500 && this.status !== 408 && this.status !== 429;
  }
}

export type Params = Record<string, string | number | boolean | string[] | null | undefined>;

/**
 * The address of an API path ("api/slo/v1/objectives"), below the folder of `base`. Empty parameters are left out; a list is a parameter
 * that is repeated.
 */
export function apiUrl(path: string, params: Params = {}, base = document.baseURI): string {
  const url = new URL(path, base);
  url.hash = "";
  for (const [key, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "" && one !== false) {
        url.searchParams.append(key, String(one));
      }
    }
  }
  return url.href;
}

const TIMEOUT_MS = 20_000;

/** Fetches JSON. Throws ApiError, or an AbortError when `signal` was aborted. */
export function getJson<T>(
  path: string,
  params: Params = {},
  signal?: AbortSignal,
  /** Statuses besides 2xx whose body is the answer. */
  alsoGood: number[] = [],
): Promise<T> {
  return request("GET", path, params, signal, alsoGood);
}

/** Sends a change. Throws ApiError. */
export function postJson<T>(path: string, params: Params = {}): Promise<T> {
  return request("POST", path, params, undefined, []);
}

async function request<T>(
  method: string,
  path: string,
  params: Params,
  signal: AbortSignal | undefined,
  alsoGood: number[],
): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(apiUrl(path, params), {
      method,
      headers: { Accept: "application/json, application/problem+json" },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    if (timeout.aborted) throw new ApiError(0, "The gateway did not answer in time", "");
    throw new ApiError(
      0,
      "The gateway cannot be reached",
      "Check that slowburn is running and the network path to it.",
    );
  }
  if (!response.ok && !alsoGood.includes(response.status)) throw await problem(response);
  const type = response.headers.get("Content-Type") ?? "";
  if (!/[/+]json\b/.test(type)) {
    throw new ApiError(
      response.status,
      "Something other than the gateway answered",
      `It sent ${type || "no content type"} instead of JSON: is a proxy or a login page in between?`,
    );
  }
  try {
    return (await response.json()) as T;
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(
      0,
      "The answer broke off",
      "The connection closed before all of the JSON had arrived.",
    );
  }
}

/** Reads an error answer: problem+json (RFC 9457), Prometheus' error JSON, or just the status. */
async function problem(response: Response): Promise<ApiError> {
  const retryAfter = retryAfterMs(response.headers.get("Retry-After"));
  let title = response.statusText || `HTTP ${response.status}`;
  let detail = "";
  try {
    const body = (await response.json()) as { title?: string; detail?: string; error?: string };
    title = body.title || title;
    detail = body.detail ?? body.error ?? "";
  } catch {
    // Not JSON: only the status is known.
  }
  return new ApiError(response.status, title, detail, retryAfter);
}

export function retryAfterMs(header: string | null, now = Date.now()): number | null {
  if (!header) return null;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
