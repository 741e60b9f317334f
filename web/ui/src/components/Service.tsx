import { colorOf } from "../lib/color";

/** A service's name with its colour beside it. */
export function Service({
  name,
  color,
  children,
}: {
  name: string;
  color?: number;
  children?: preact.ComponentChildren;
}) {
  return (
    <span class={`service svc-${color ?? colorOf(name)}`}>
      <i class="swatch" aria-hidden="true" />
      <span class="service-name">{name || "unknown"}</span>
      {children}
    </span>
  );
}
