import { useEffect, useId, useState } from "preact/hooks";
import { findTraceId } from "../traces/query";

/** A field for a pasted trace ID, traceparent or link. */
export function TraceIdForm({
  label,
  value = "",
  action,
  primary,
  onFound,
}: {
  label: string;
  /** The ID of the trace on screen. */
  value?: string;
  /** The text on the button. */
  action: string;
  primary?: boolean;
  onFound: (id: string) => void;
}) {
  const [text, setText] = useState(value);
  const [bad, setBad] = useState(false);
  const hint = useId();
  useEffect(() => setText(value), [value]);
  return (
    <form
      class="jump"
      onSubmit={(e) => {
        e.preventDefault();
        const id = findTraceId(text);
        setBad(id === null);
        if (id === null) return;
        setText(id);
        onFound(id);
      }}
    >
      <label>
        <span class="sr">{label}</span>
        <input
          type="text"
          placeholder="Trace ID or traceparent"
          autocomplete="off"
          spellcheck={false}
          value={text}
          aria-invalid={bad}
          aria-describedby={bad ? hint : undefined}
          onInput={(e) => {
            setText(e.currentTarget.value);
            setBad(false);
          }}
        />
      </label>
      <button type="submit" class={primary ? "button primary" : "button"}>
        {action}
      </button>
      {bad && (
        <span id={hint} class="field-error" role="alert">
          No trace ID found: it has 32 hexadecimal digits
        </span>
      )}
    </form>
  );
}
