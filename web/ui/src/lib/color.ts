// A colour per service: the same service has the same one on every screen and in every session.

/** How many .svc-N classes styles/services.css defines. */
export const COLORS = 20;

/** FNV-1a: small, and spreads short names well. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** The preferred colour of a name. */
export function colorOf(service: string): number {
  return hash(service) % COLORS;
}

/**
 * Colours for services shown side by side: each gets the preferred one of its name; of two with the same, the
 * alphabetically later gets the next free one.
 */
export function assignColors(services: string[]): Map<string, number> {
  const colors = new Map<string, number>();
  const taken = new Set<number>();
  for (const service of [...new Set(services)].sort()) {
    let c = colorOf(service);
    if (taken.size < COLORS) while (taken.has(c)) c = (c + 7) % COLORS; // 7 and 20 share no factor: all get visited
    taken.add(c);
    colors.set(service, c);
  }
  return colors;
}
