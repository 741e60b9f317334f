import * as api from "../api/endpoints";
import type { Endpoint } from "../api/types";
import { usePoll } from "../api/usePoll";
import { CopyButton } from "./CopyButton";

/** How services send spans to this gateway: the variables of SDKs, for each port. */
export function FirstSteps() {
  const { data } = usePoll("endpoints", api.endpoints, { interval: 60_000 });
  if (!data) return null;
  if (data.length === 0) return <p>No receiver listens: add one under receivers::otlp.</p>;
  const unreachable = data.every((e) => loopback(hostOf(e))) && !loopback(location.hostname);
  return (
    <div class="first-steps">
      <p>Point an SDK at this gateway:</p>
      <ul>
        {[...data].sort(httpFirst).map((e) => (
          <li key={`${e.receiver} ${e.protocol} ${e.address}`}>
            <pre class="code">
              <code>{variables(e, location.hostname)}</code>
            </pre>
            <CopyButton
              text={variables(e, location.hostname)}
              label={`Copy the variables for ${NAME[e.protocol]}`}
            />
          </li>
        ))}
      </ul>
      {unreachable && (
        <p class="faint">
          The gateway listens on its own machine only. For services elsewhere, set the endpoint of{" "}
          <code>receivers::otlp::protocols</code> to an address that they reach.
        </p>
      )}
    </div>
  );
}

const NAME = { http: "HTTP", grpc: "gRPC" };
const PROTOCOL = { http: "http/protobuf", grpc: "grpc" };

const httpFirst = (a: Endpoint, b: Endpoint) => Number(a.protocol === "grpc") - Number(b.protocol === "grpc");

/** The variables of an SDK. A port on all addresses is reached by the host name of the dashboard. */
export function variables(e: Endpoint, dashboard: string): string {
  const host = ["0.0.0.0", "[::]"].includes(hostOf(e)) ? dashboard : hostOf(e);
  const url = `${e.tls ? "https" : "http"}://${host}:${e.address.slice(e.address.lastIndexOf(":") + 1)}`;
  return `OTEL_EXPORTER_OTLP_ENDPOINT=${url}\nOTEL_EXPORTER_OTLP_PROTOCOL=${PROTOCOL[e.protocol]}`;
}

function hostOf(e: Endpoint): string {
  return e.address.slice(0, e.address.lastIndexOf(":"));
}

function loopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}
