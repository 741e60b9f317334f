import { useEffect, useRef } from "preact/hooks";
import type { Attributes, Span, Trace } from "../api/types";
import { CopyButton } from "../components/CopyButton";
import { Icon } from "../components/Icon";
import { Service } from "../components/Service";
import { durationNs, plural } from "../lib/format";
import { clockTime, nanosSince, nanosToDate } from "../lib/time";
import { links } from "../router";
import { badges } from "./flags";
import type { TraceModel } from "./model";
import { valueText } from "./search";

interface Props {
  trace: Trace;
  model: TraceModel;
  index: number;
  color: number;
  onGo: (index: number) => void;
  onZoom: () => void;
  onClose: () => void;
}

/** Everything about one span. */
export function SpanPanel({ trace, model: m, index, color, onGo, onZoom, onClose }: Props) {
  const panel = useRef<HTMLElement>(null);
  const s = m.spans[index];
  const parent = m.parent[index];
  useEffect(() => {
    panel.current?.scrollTo(0, 0);
  }, []);
  return (
    <aside
      ref={panel}
      class="span-panel"
      aria-label="Span"
      onKeyDown={(e) => {
        if (e.key === "Escape") onClose();
      }}
    >
      <header>
        <div>
          <Service name={s.service} color={color} />
          <h2>{s.name}</h2>
        </div>
        <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <p class="chips">
        <span class="chip">{s.kind.toLowerCase() || "no kind"}</span>
        <span class={s.status === "error" ? "chip chip-error" : "chip"}>
          {s.status === "unset" ? "status unset" : s.status}
        </span>
        {badges(s).map((b) => (
          <span key={b.text} class="chip chip-warn" title={b.meaning}>
            {b.text}
          </span>
        ))}
      </p>
      {s.status_message &&
        (s.synthetic ? (
          <p>Cause: {s.status_message}.</p>
        ) : (
          <p class="error-text status-message">{s.status_message}</p>
        ))}
      {badges(s).map((b) => (
        <p key={b.text} class="faint">
          {b.meaning}.
        </p>
      ))}
      <p class="button-group">
        <button type="button" class="button" onClick={onZoom}>
          Zoom to it
        </button>
        {parent >= 0 && (
          <button type="button" class="button" onClick={() => onGo(parent)}>
            Parent
          </button>
        )}
      </p>
      <Times span={s} base={m.base} />
      <AttributeList title="Attributes" attributes={s.attributes} open />
      <Events span={s} />
      <Links span={s} />
      {s.resource >= 0 && (
        <AttributeList title="Resource" attributes={trace.resources[s.resource]?.attributes ?? {}} />
      )}
      <Identity span={s} />
    </aside>
  );
}

function Times({ span: s, base }: { span: Span; base: string }) {
  const offset = nanosSince(s.corrected_start_unix_nano, s.start_unix_nano);
  const known = s.start_unix_nano !== "0";
  return (
    <dl class="pairs">
      <dt>Duration</dt>
      <dd class="num">
        <b>{durationNs(Number(s.duration_ns))}</b>
      </dd>
      <dt>Starts</dt>
      <dd class="num">
        {durationNs(nanosSince(s.corrected_start_unix_nano, base))} into the trace,{" "}
        <Stamp at={s.corrected_start_unix_nano} />
      </dd>
      {!s.synthetic && offset !== 0 && (
        <>
          <dt>Raw start</dt>
          <dd class="num">
            {known ? (
              <>
                <Stamp at={s.start_unix_nano} />, corrected by {offset > 0 ? "+" : ""}
                {durationNs(offset)}
                {s.uncertainty_ns !== null && <> ± {durationNs(Number(s.uncertainty_ns))}</>}
              </>
            ) : (
              "none was sent"
            )}
          </dd>
          <dt>Raw end</dt>
          <dd class="num">{s.end_unix_nano === "0" ? "none was sent" : <Stamp at={s.end_unix_nano} />}</dd>
        </>
      )}
    </dl>
  );
}

/** A moment to the nanosecond: the clock time, then the digits below a millisecond. */
function Stamp({ at }: { at: string }) {
  return (
    <time title={`${nanosToDate(at).toISOString()}, ${at} ns since 1970`}>
      {clockTime(nanosToDate(`${at.slice(0, -6)}000000`), true)}
      <span class="faint">{at.slice(-6)}</span>
    </time>
  );
}

function AttributeList({
  title,
  attributes,
  open,
}: {
  title: string;
  attributes: Attributes;
  open?: boolean;
}) {
  const keys = Object.keys(attributes ?? {}).sort();
  if (keys.length === 0) return null;
  return (
    <details open={open}>
      <summary>
        {title} <span class="faint num">{keys.length}</span>
      </summary>
      <dl class="pairs attributes">
        {keys.map((k) => {
          const text = valueText(attributes[k]);
          return (
            <div key={k}>
              <dt>{k}</dt>
              <dd class={text.includes("\n") ? "lines" : ""}>
                {text === "" ? <span class="faint">empty</span> : text}
              </dd>
            </div>
          );
        })}
      </dl>
    </details>
  );
}

function Events({ span: s }: { span: Span }) {
  const events = s.events ?? [];
  if (events.length === 0) return null;
  return (
    <details open>
      <summary>
        Events <span class="faint num">{events.length}</span>
      </summary>
      {events.map((e, i) => (
        <div key={`${e.time_unix_nano}${i}`} class="event">
          <p>
            <b>{e.name}</b>{" "}
            <span class="faint num">at {durationNs(nanosSince(e.time_unix_nano, s.start_unix_nano))}</span>
          </p>
          <AttributeList
            title={plural(Object.keys(e.attributes ?? {}).length, "attribute")}
            attributes={e.attributes}
            open
          />
        </div>
      ))}
    </details>
  );
}

function Links({ span: s }: { span: Span }) {
  const all = s.links ?? [];
  if (all.length === 0) return null;
  return (
    <details open>
      <summary>
        Links <span class="faint num">{all.length}</span>
      </summary>
      {all.map((l) => (
        <div key={l.trace_id + l.span_id} class="event">
          <p>
            {l.kept ? (
              <a href={links.trace(l.trace_id, { span: l.span_id })}>
                <code>{l.trace_id.slice(0, 16)}…</code>
              </a>
            ) : (
              <>
                <code>{l.trace_id.slice(0, 16)}…</code> <span class="faint">not kept here</span>
              </>
            )}
          </p>
          <AttributeList title="Attributes" attributes={l.attributes} />
        </div>
      ))}
    </details>
  );
}

function Identity({ span: s }: { span: Span }) {
  return (
    <dl class="pairs">
      {s.scope?.name && (
        <>
          <dt>Scope</dt>
          <dd>
            {s.scope.name} {s.scope.version}
          </dd>
        </>
      )}
      <dt>Span ID</dt>
      <dd>
        <code>{s.span_id}</code> <CopyButton text={s.span_id} label="Copy the span ID" />
      </dd>
      {s.parent_id && (
        <>
          <dt>Parent ID</dt>
          <dd>
            <code>{s.parent_id}</code>
          </dd>
        </>
      )}
    </dl>
  );
}
