import type { ComponentChildren } from "preact";

/** A table that scrolls sideways where the screen is narrow; focusable, so that the keyboard can scroll it, too. */
export function TableScroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: an element that scrolls has to take the focus
    <div class="table-scroll" role="group" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
