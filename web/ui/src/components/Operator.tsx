// Whether this reader may make changes, and the notice if not.

import { type ComponentChildren, createContext } from "preact";
import { useContext } from "preact/hooks";
import * as api from "../api/endpoints";
import { usePoll } from "../api/usePoll";
import { Icon } from "./Icon";

/** The reason why this reader may make no changes; empty if they may, or if that is unknown: then the gateway decides. */
const WhyNot = createContext("");

export const useWhyNot = () => useContext(WhyNot);

/** The ID of the notice that says why buttons are off. */
const NOTICE = "no-operator";

/** Asks the gateway for the caller, and provides the answer to all children. */
export function CallerKnown({ children }: { children: ComponentChildren }) {
  const { data } = usePoll("caller", api.caller, { interval: 60_000 });
  return <WhyNot.Provider value={data && !data.operator ? data.why : ""}>{children}</WhyNot.Provider>;
}

/** Says why the buttons are off; empty if they are on. */
export function OperatorNotice() {
  const why = useWhyNot();
  if (!why) return null;
  return (
    <div class="notice notice-hint" id={NOTICE}>
      <Icon name="info" />
      <div>
        <b>You can look, but not change anything.</b> {why}
      </div>
    </div>
  );
}

/** The properties of a button that changes something: off, with the reason, for readers who may not. */
export function useChange(busy: boolean) {
  const why = useWhyNot();
  return {
    disabled: busy || why !== "",
    title: why || undefined,
    "aria-describedby": why ? NOTICE : undefined,
  };
}
