import * as api from "../api/endpoints";
import { usePoll } from "../api/usePoll";
import { TraceIdForm } from "../components/TraceIdForm";
import { toLocalInput } from "../lib/time";
import { links, navigate, type Route, replaceParams } from "../router";
import { DEFAULT_RANGE, durationError, rangeChoices, toQuery } from "./query";

/** The search form. Each change applies at once and lives in the URL. */
export function SearchForm({ route, onSearch }: { route: Route; onSearch: () => void }) {
  const services = usePoll("services", api.traceServices, { interval: 60_000 });
  const policies = usePoll("policies", api.samplingStatus, { interval: 0 });
  const p = route.params;
  const get = (key: string) => p.get(key) ?? "";
  const wholeTrace = get("match") === "trace";
  const operations = services.data?.find((s) => s.name === get("service"))?.operations ?? [];
  const set = (key: string) => (e: { currentTarget: HTMLInputElement | HTMLSelectElement }) =>
    replaceParams(route, { [key]: e.currentTarget.value.trim() });
  return (
    <form
      class="search"
      onSubmit={(e) => {
        e.preventDefault();
        onSearch();
      }}
    >
      <Choice
        label="Service"
        value={get("service")}
        options={services.data?.map((s) => s.name) ?? []}
        any="Any service"
        onChange={(v) => replaceParams(route, { service: v, operation: null })}
      />
      <Choice
        label="Operation"
        value={get("operation")}
        options={operations}
        any={get("service") ? "Any operation" : "Choose a service first"}
        disabled={!get("service")}
        onChange={(v) => replaceParams(route, { operation: v })}
      />
      <DurationField label="At least" value={get("min_duration")} onChange={set("min_duration")} />
      <DurationField label="At most" value={get("max_duration")} onChange={set("max_duration")} />
      <Choice
        label="Kept by policy"
        value={get("policy")}
        options={policies.data?.policies.map((x) => x.name) ?? []}
        any="Any policy"
        onChange={(v) => replaceParams(route, { policy: v })}
      />
      <RangeField route={route} />
      <label class="check">
        <input
          type="checkbox"
          checked={get("error") === "true"}
          onChange={(e) => replaceParams(route, { error: e.currentTarget.checked })}
        />
        {get("service") && !wholeTrace ? `Errors of ${get("service")} only` : "With errors only"}
      </label>
      {get("service") && (
        <label
          class="check"
          title="Unless this is set, one span of the service has the error and the duration."
        >
          <input
            type="checkbox"
            checked={wholeTrace}
            onChange={(e) => replaceParams(route, { match: e.currentTarget.checked ? "trace" : null })}
          />
          Errors and durations of the whole trace
        </label>
      )}
      <button type="submit" class="button primary">
        Search
      </button>
    </form>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: string[];
  any: string;
  disabled?: boolean;
  onChange: (value: string) => void;
}

function Choice({ label, value, options, any, disabled, onChange }: ChoiceProps) {
  // A value from a link is listed even if the store does not know it (any more).
  const all = value && !options.includes(value) ? [value, ...options] : options;
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} disabled={disabled} onChange={(e) => onChange(e.currentTarget.value)}>
        <option value="">{any}</option>
        {all.map((o) => (
          <option key={o} value={o}>
            {o}
          </option>
        ))}
      </select>
    </label>
  );
}

function DurationField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (e: { currentTarget: HTMLInputElement }) => void;
}) {
  const error = durationError(value);
  return (
    <label class="field short">
      <span>{label}</span>
      <input
        type="text"
        inputMode="text"
        placeholder="100ms"
        value={value}
        onChange={onChange}
        aria-invalid={error !== ""}
      />
      {error && (
        <span class="field-error" role="alert">
          {error}
        </span>
      )}
    </label>
  );
}

function RangeField({ route }: { route: Route }) {
  const p = route.params;
  const custom = p.has("start") && p.has("end");
  const { range } = toQuery(p, new Date());
  const current = p.get("range") ?? DEFAULT_RANGE;
  const choose = (value: string) =>
    value === "custom"
      ? replaceParams(route, { range: null, start: range.start.toISOString(), end: range.end.toISOString() })
      : replaceParams(route, { range: value, start: null, end: null });
  const edge = (key: "start" | "end", text: string) => {
    const d = new Date(text);
    if (!Number.isNaN(d.getTime())) replaceParams(route, { [key]: d.toISOString() });
  };
  return (
    <>
      <label class="field">
        <span>Started in</span>
        <select value={custom ? "custom" : current} onChange={(e) => choose(e.currentTarget.value)}>
          {rangeChoices(current).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
          <option value="custom">From … to …</option>
        </select>
      </label>
      {custom &&
        (["start", "end"] as const).map((key) => (
          <label key={key} class="field">
            <span>{key === "start" ? "From" : "To"}</span>
            <input
              type="datetime-local"
              step="1"
              value={toLocalInput(range[key])}
              onChange={(e) => edge(key, e.currentTarget.value)}
            />
          </label>
        ))}
    </>
  );
}

/** Opens the trace of a pasted ID, traceparent or link. */
export function JumpToTrace() {
  return (
    <TraceIdForm label="Go to a trace by its ID" action="Open" onFound={(id) => navigate(links.trace(id))} />
  );
}
