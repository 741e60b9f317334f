// Light, dark, or the system's choice. public/theme.js applies the choice before the first paint.

export type Theme = "auto" | "light" | "dark";

const KEY = "slowburn.theme";
const ORDER: Theme[] = ["auto", "light", "dark"];

export function currentTheme(): Theme {
  const t = document.documentElement.dataset.theme;
  return t === "light" || t === "dark" ? t : "auto";
}

export function nextTheme(t: Theme): Theme {
  return ORDER[(ORDER.indexOf(t) + 1) % ORDER.length];
}

export function setTheme(t: Theme): void {
  if (t === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = t;
  try {
    if (t === "auto") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, t);
  } catch {
    // Storage is blocked: the choice lasts until the page is closed.
  }
  window.dispatchEvent(new Event("themechange"));
}

/** Calls back when the colours change, by choice or by the system. Returns a function that stops it. */
export function onThemeChange(callback: () => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  window.addEventListener("themechange", callback);
  system.addEventListener("change", callback);
  return () => {
    window.removeEventListener("themechange", callback);
    system.removeEventListener("change", callback);
  };
}

/** A CSS colour token as canvas understands it: light-dark() and var() resolved by the browser. */
export function resolveColor(token: string, near: Element = document.body): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${token})`;
  near.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
