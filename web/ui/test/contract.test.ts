// The mock API answers as the contract describes: the screens are tested with answers that the gateway could give.

import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { type Answer, answer, SCENARIOS } from "../mock/api";
import { NOT_KEPT, recipes } from "../mock/traces";

type Json = Record<string, unknown>;
const contract = parse(readFileSync(new URL("../../api/openapi.yaml", import.meta.url), "utf8"));

/** Forbids properties that a schema does not describe. */
function close(node: unknown): void {
  if (typeof node !== "object" || node === null) return;
  const schema = node as Json;
  if (schema.type === "object" && schema.properties) schema.additionalProperties = false;
  for (const next of Object.values(schema)) close(next);
}
close(contract);

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema({ $id: "contract", components: contract.components });

const compiled = new Map<string, ValidateFunction>();
function validator(schema: Json): ValidateFunction {
  const key = JSON.stringify(schema);
  const known = compiled.get(key) ?? ajv.compile(JSON.parse(key.replaceAll('"#/', '"contract#/')));
  compiled.set(key, known);
  return known;
}

function response(path: string, method: string, status: number): Json {
  const responses = contract.paths[path][method].responses;
  const found = responses[status] ?? responses.default;
  if (!found.$ref) return found;
  return contract.components.responses[found.$ref.split("/").at(-1)];
}

function errors(path: string, method: string, a: Answer): unknown {
  const content = response(path, method, a.status).content as Record<string, { schema: Json }>;
  if (!content[a.type]) return `${a.type} is not described`;
  const validate = validator(content[a.type].schema);
  return validate(JSON.parse(JSON.stringify(a.body))) ? [] : validate.errors;
}

/** Values for a path's parameters: one that exists, and one that does not. */
const EXAMPLES: Record<string, string[]> = {
  "{name}": ["checkout-availability", "nobody"],
  "{trace_id}": [recipes[0].id, recipes[2].id, recipes[4].id, NOT_KEPT, "0".repeat(32)],
};

/** The mock lacks answers that the dashboard does not request, and those that are no JSON. */
const WITHOUT = ["/healthz", "/api/openapi.yaml", "/api/sampling/v1/drain", "/api/sampling/v1/drain/resume"];

const asked = Object.keys(contract.paths).filter((path) => !WITHOUT.includes(path));

it.each(SCENARIOS)("holds in the scenario %s", (scenario) => {
  const range = new URLSearchParams({
    start: "2026-01-31T12:00:00Z",
    end: "2026-01-31T13:00:00Z",
    step: "60",
  });
  for (const path of asked) {
    const [method] = Object.keys(contract.paths[path]);
    const parameter = /\{\w+\}/.exec(path)?.[0] ?? "";
    for (const example of EXAMPLES[parameter] ?? [""]) {
      const segments = path.replace(parameter, example).split("/").filter(Boolean);
      if (segments[0] === "api") segments.shift();
      const got = answer(segments, range, scenario, method.toUpperCase());
      expect(errors(path, method, got), `${method} ${path} ${example}`).toEqual([]);
    }
  }
});

it("finds what is wrong", () => {
  const path = "/api/sampling/v1/status";
  const good = answer(["sampling", "v1", "status"], new URLSearchParams(), "ok");
  expect(errors(path, "get", good)).toEqual([]);
  for (const change of [
    { revived_traces: undefined },
    { revived_traces: "37" },
    { storage: "floppy" },
    { more: 1 },
  ]) {
    const bad = { ...good, body: { ...(good.body as Json), ...change } };
    expect(errors(path, "get", bad), JSON.stringify(change)).not.toEqual([]);
  }
});
