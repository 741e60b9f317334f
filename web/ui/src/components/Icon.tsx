// Icons as paths in the current colour; always beside a word or with a label of their own.

const PATHS = {
  page: "M12 3 1.8 20.5h20.4L12 3Zm0 6.2v5.2m0 2.6v.6",
  ticket: "M3 7h18v3.2a1.8 1.8 0 0 0 0 3.6V17H3v-3.2a1.8 1.8 0 0 0 0-3.6V7Zm11 .5v9",
  pending: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 4.5V12l3.2 2.2",
  overspent: "M4 4v16h16M8 8l4 5 3-2 5 5",
  low: "M4 4v16h16M8 8l4 5 3-2 5 5",
  ok: "M4.5 12.5 10 18 20 6.5",
  no_data: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM7.5 12h9",
  error: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm-3.3 5.7 6.6 6.6m0-6.6-6.6 6.6",
  info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 8v5.2m0-8.4v.7",
  right: "m9 5 7 7-7 7",
  down: "m5 9 7 7 7-7",
  left: "m15 5-7 7 7 7",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm4.8 11.3L20.5 20.5",
  close: "m5.5 5.5 13 13m0-13-13 13",
  light:
    "M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM12 1.5v2.6m0 15.8v2.6M1.5 12h2.6m15.8 0h2.6M4.6 4.6l1.8 1.8m11.2 11.2 1.8 1.8m0-14.8-1.8 1.8M6.4 17.6l-1.8 1.8",
  dark: "M20 14.2A8.5 8.5 0 0 1 9.8 4 8.5 8.5 0 1 0 20 14.2Z",
  auto: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17Zm0 0v17m0-14.5h4.8M12 10h8m-8 4h8m-8 4h4.8",
  copy: "M8.5 8.5v-5h12v12h-5m-12-7h12v12h-12v-12Z",
  link: "M9.5 14.5 14.5 9.5M11 6.5l2-2a4.6 4.6 0 0 1 6.5 6.5l-2 2m-4.500 4.500-2 2a4.6 4.6 0 0 1-6.500-6.500l2-2",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 4.5V12h4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, label }: { name: IconName; label?: string }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={!label}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
