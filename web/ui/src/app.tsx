// The frame of all screens: navigation, theme, focus.

import { useEffect, useRef, useState } from "preact/hooks";
import { AlertsPage } from "./alerts/AlertsPage";
import * as api from "./api/endpoints";
import { usePoll } from "./api/usePoll";
import { HealthBanner } from "./components/HealthBanner";
import { Icon } from "./components/Icon";
import { Empty } from "./components/Notices";
import { CallerKnown } from "./components/Operator";
import { Page } from "./components/Page";
import { zone } from "./lib/time";
import { ObjectivePage } from "./objectives/ObjectivePage";
import { ObjectivesPage } from "./objectives/ObjectivesPage";
import { links, type Route, useRoute } from "./router";
import { SamplingPage } from "./sampling/SamplingPage";
import { currentTheme, nextTheme, setTheme } from "./theme";
import { TracePage } from "./trace/TracePage";
import { TracesPage } from "./traces/TracesPage";

export function App() {
  const route = useRoute();
  useFocusOnNavigation(route.path.join("/"));
  return (
    <>
      {/* Not a link: the fragment is the router's. */}
      <button type="button" class="button skip" onClick={focusHeading}>
        Skip to content
      </button>
      <Header route={route} />
      <HealthBanner />
      <CallerKnown>
        <Screen route={route} />
      </CallerKnown>
    </>
  );
}

function Screen({ route }: { route: Route }) {
  const [area, name] = route.path;
  if (area === undefined || (area === "objectives" && name === undefined))
    return <ObjectivesPage route={route} />;
  if (area === "objectives") return <ObjectivePage key={name} name={name} route={route} />;
  if (area === "traces" && name === undefined) return <TracesPage route={route} />;
  if (area === "traces") return <TracePage key={name} id={name} route={route} />;
  if (area === "sampling") return <SamplingPage route={route} />;
  if (area === "alerts") return <AlertsPage />;
  return (
    <Page title="Not found" heading="There is no such page">
      <Empty title={`/${route.path.join("/")}`}>
        <p>
          <a href={links.objectives()}>Go to the objectives</a>
        </p>
      </Empty>
    </Page>
  );
}

function focusHeading() {
  document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
}

/** After a navigation a screen reader starts at the new page's heading, as after a page load. */
function useFocusOnNavigation(path: string) {
  const first = useRef(true);
  // Dependencies: runs when the path changes
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    window.scrollTo(0, 0);
    focusHeading();
  }, [path]);
}

function Header({ route }: { route: Route }) {
  const alerts = usePoll("alerts", api.alerts);
  const firing = alerts.data?.filter((a) => a.state === "firing") ?? [];
  const paging = firing.some((a) => a.severity === "page");
  const area = route.path[0] ?? "objectives";
  const item = (name: string, text: string, to: string) => (
    <a href={to} aria-current={area === name ? "page" : undefined}>
      {text}
      {name === "alerts" && firing.length > 0 && (
        <span class={`badge ${paging ? "badge-page" : "badge-ticket"}`}>
          {firing.length}
          <span class="sr"> firing</span>
        </span>
      )}
    </a>
  );
  return (
    <header class="top">
      <a class="brand" href={links.objectives()}>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M4 8c8 0 8 15 22 15" />
          <circle cx="26" cy="23" r="4" />
        </svg>
        slowburn
      </a>
      <nav aria-label="Main">
        {item("objectives", "Objectives", links.objectives())}
        {item("traces", "Traces", links.traces())}
        {item("sampling", "Sampling", links.sampling())}
        {item("alerts", "Alerts", links.alerts())}
      </nav>
      <span class="zone faint" title="Times are shown in your browser's zone">
        {zone()}
      </span>
      <ThemeButton />
    </header>
  );
}

function ThemeButton() {
  const [theme, show] = useState(currentTheme);
  const label = `Theme: ${theme}. Switch to ${nextTheme(theme)}`;
  return (
    <button
      type="button"
      class="icon-button theme"
      aria-label={label}
      title={label}
      onClick={() => {
        setTheme(nextTheme(theme));
        show(nextTheme(theme));
      }}
    >
      <Icon name={theme} />
    </button>
  );
}
