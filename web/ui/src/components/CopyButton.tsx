import { useState } from "preact/hooks";
import { Icon } from "./Icon";

/** Copies a text; shown where the browser allows it (a secure origin, which loopback is). */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  if (!navigator.clipboard) return null;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    } catch {
      setCopied(false); // not permitted: the text can still be selected
    }
  };
  return (
    <button
      type="button"
      class="icon-button small"
      title={label}
      aria-label={copied ? "Copied" : label}
      onClick={copy}
    >
      <Icon name={copied ? "ok" : "copy"} />
    </button>
  );
}
