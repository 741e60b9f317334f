import type { BudgetPolicy, Objective } from "../api/types";
import { type Standing, standing } from "../objectives/urgency";
import { POLICY_NAME } from "../objectives/words";
import { Icon } from "./Icon";

const LABEL: Record<Standing, string> = {
  page: "Page",
  ticket: "Ticket",
  pending: "Pending",
  error: "Not evaluated",
  overspent: "Budget overspent",
  low: "Low budget",
  ok: "Healthy",
  no_data: "No data",
};

export function StandingPill({ of }: { of: Standing }) {
  return (
    <span class={`pill pill-${of}`}>
      <Icon name={of} />
      {LABEL[of]}
    </span>
  );
}

export function ObjectivePill({ objective }: { objective: Objective }) {
  return <StandingPill of={standing(objective)} />;
}

export function PolicyPill({ policy }: { policy: BudgetPolicy }) {
  return <span class={`pill policy-${policy}`}>{POLICY_NAME[policy]}</span>;
}
