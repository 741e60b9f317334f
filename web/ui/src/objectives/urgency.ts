// How urgently an objective wants attention. The gateway sorts and counts by it: web/internal/objectives/urgency.go.

import type { Objective, ObjectivesUrgency, Urgency } from "../api/types";
import { budgetLeft } from "./budget.ts";

/** The states of a row, from worst to best. */
export type Standing = Urgency;

/** An objective with a smaller share of its budget left is not called healthy, even without an alert: the policy says freeze. */
const LOW = 0.1;

export function standing(o: Objective): Standing {
  if (o.alert.state === "firing") return o.alert.severity === "page" ? "page" : "ticket";
  if (o.alert.state === "pending") return "pending";
  const left = budgetLeft(o) ?? 1;
  if (o.state !== "ok" || left >= LOW) return o.state;
  return left < 0 ? "overspent" : "low";
}

export type Tally = ObjectivesUrgency;

/** The parts of the sentence above the list, the worst state first. */
export function headline(t: Tally): { text: string; standing: Standing | null }[] {
  const parts: { text: string; standing: Standing | null }[] = [];
  const say = (standing: Standing, text: string) => {
    if (t[standing] > 0) parts.push({ text, standing });
  };
  say("page", `${t.page} paging`);
  say("ticket", `${t.ticket} ticket${t.ticket > 1 ? "s" : ""} firing`);
  say("pending", `${t.pending} pending`);
  say("error", `${t.error} not evaluated`);
  say("overspent", t.overspent === 1 ? "1 budget overspent" : `${t.overspent} budgets overspent`);
  say("low", `${t.low} low on budget`);
  if (parts.length > 0) say("ok", `${t.ok} healthy`);
  else if (t.ok > 0) say("ok", t.ok === 1 ? "The objective is healthy" : `All ${t.ok} are healthy`);
  else return [{ text: "No data", standing: null }];
  say("no_data", `${t.no_data} without data`);
  return parts;
}
