import { useMemo } from "preact/hooks";
import { Icon } from "../components/Icon";
import { Segmented } from "../components/Segmented";
import { count } from "../lib/format";
import type { TraceModel } from "./model";
import * as tree from "./model";

interface Props {
  model: TraceModel;
  query: string;
  onQuery: (query: string) => void;
  matches: Int32Array;
  active: number;
  /** Shows a span. */
  onGo: (index: number) => void;
  onCollapse: (collapsed: Uint8Array) => void;
  raw: boolean;
  onRaw: (raw: boolean) => void;
  zoomed: boolean;
  onWhole: () => void;
}

export function Toolbar(p: Props) {
  const m = p.model;
  const errors = useMemo(() => tree.errorIndexes(m), [m]);
  return (
    <div class="toolbar trace-tools" role="group" aria-label="Waterfall tools">
      <label class="search-field">
        <Icon name="search" />
        <span class="sr">Search spans: name, service, value, key=value</span>
        <input
          type="search"
          placeholder="Name, service, key=value"
          value={p.query}
          onInput={(e) => p.onQuery(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key !== "Enter") return;
            e.preventDefault();
            p.onGo(tree.step(p.matches, p.active, e.shiftKey ? -1 : 1));
          }}
        />
      </label>
      {p.query && (
        <Stepper name="match" plural="matches" indexes={p.matches} active={p.active} onGo={p.onGo} />
      )}
      {errors.length > 0 && (
        <Stepper name="error" plural="errors" indexes={errors} active={p.active} onGo={p.onGo} />
      )}
      <span class="button-group">
        <button type="button" class="button" onClick={() => p.onCollapse(new Uint8Array(m.spans.length))}>
          Expand all
        </button>
        <button type="button" class="button" onClick={() => p.onCollapse(tree.collapseAll(m))}>
          Collapse all
        </button>
        {errors.length > 0 && (
          <button type="button" class="button" onClick={() => p.onCollapse(tree.collapseWithoutErrors(m))}>
            Errors only
          </button>
        )}
      </span>
      {p.zoomed && (
        <button type="button" class="button" onClick={p.onWhole}>
          Whole trace
        </button>
      )}
      {m.hasCorrection && (
        <Segmented
          label="Times"
          options={[
            ["corrected", "Corrected times"],
            ["raw", "Raw"],
          ]}
          value={p.raw ? "raw" : "corrected"}
          onChange={(v) => p.onRaw(v === "raw")}
        />
      )}
      {m.hasCorrection && (
        <span class="legend" aria-hidden="true">
          <span>
            <i class="legend-ghost" />
            {p.raw ? "corrected" : "raw"}
          </span>
          {!p.raw && (
            <span>
              <i class="legend-band" />
              uncertainty
            </span>
          )}
        </span>
      )}
    </div>
  );
}

interface StepperProps {
  name: string;
  plural: string;
  indexes: Int32Array;
  active: number;
  onGo: (index: number) => void;
}

/** "‹ 3 of 17 errors ›" */
function Stepper({ name, plural, indexes, active, onGo }: StepperProps) {
  const at = indexes.indexOf(active);
  const n = indexes.length;
  return (
    <span class={`stepper stepper-${name}`}>
      <button
        type="button"
        class="icon-button small"
        disabled={n === 0}
        aria-label={`Previous ${name}`}
        onClick={() => onGo(tree.step(indexes, active, -1))}
      >
        <Icon name="left" />
      </button>
      <span class="num" role="status">
        {at >= 0 ? `${count(at + 1)} of ` : ""}
        {count(n)} {n === 1 ? name : plural}
      </span>
      <button
        type="button"
        class="icon-button small"
        disabled={n === 0}
        aria-label={`Next ${name}`}
        onClick={() => onGo(tree.step(indexes, active, 1))}
      >
        <Icon name="right" />
      </button>
    </span>
  );
}
