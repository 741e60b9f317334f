import { describe, expect, it } from "vitest";
import { cost, status } from "../mock/sampling";
import type { Endpoint } from "../src/api/types";
import { variables } from "../src/components/FirstSteps";
import { whyNone } from "../src/traces/none";

const some = (over: object) => ({ ...status("ok"), traces_pending: 0, oldest_undecided_seconds: 4, ...over });
const decided = (sampled: number, not_sampled: number, dropped: number) => ({
  decided: { sampled, not_sampled, dropped },
});

describe("why there is no kept trace", () => {
  it.each([
    ["nothing came", some(decided(0, 0, 0)), cost("empty"), true, "No span has come yet", []],
    [
      "spans, and no trace is open",
      some(decided(0, 0, 0)),
      cost("ok"),
      false,
      "No trace has been decided yet",
      [],
    ],
    [
      "one waits",
      some({ ...decided(0, 0, 0), traces_pending: 1 }),
      cost("ok"),
      false,
      "No trace has been decided yet",
      ["1 trace waits for a decision, the oldest for 4 s."],
    ],
    [
      "none is kept",
      some(decided(0, 20, 3)),
      cost("ok"),
      false,
      "23 traces came, none was kept",
      ["The policy rest keeps 1 % of ordinary traces.", "3 were dropped by a policy."],
    ],
    [
      "no policy samples at random",
      some(decided(0, 1, 0)),
      { ...cost("ok"), policies: cost("ok").policies.slice(0, 2) },
      false,
      "1 trace came, none was kept",
      ["No policy samples a share of ordinary traces: only traces that match a policy are kept."],
    ],
    [
      "how many is not known",
      some(decided(0, 1, 0)),
      { ...cost("ok"), policies: [{ ...cost("ok").policies[0], type: "and" }] },
      false,
      "1 trace came, none was kept",
      [],
    ],
    [
      "rules decide",
      some(decided(0, 9, 0)),
      {
        ...cost("ok"),
        policies: cost("ok")
          .policies.slice(0, 2)
          .map((p, i) => ({
            ...p,
            name: ["checkout", "busy"][i],
            type: "rule",
            percentage: [0.5, undefined][i],
          })),
      },
      false,
      "9 traces came, none was kept",
      [
        "The rule checkout keeps 0.5 % of the traces that it is the first to match.",
        "The rule busy keeps as many of its traces as its rate lets through.",
      ],
    ],
  ])("%s", (_, s, c, nothingCame, title, sentences) => {
    const why = whyNone(s, c);
    expect(why.nothingCame).toBe(nothingCame);
    expect(why.title.replaceAll("\u202f", " ")).toBe(title);
    expect(why.sentences.map((t) => t.replaceAll("\u202f", " "))).toEqual(sentences);
  });

  it("some are kept, elsewhere in time", () => {
    const why = whyNone(some(decided(2, 198, 0)), cost("ok"));
    expect(why.title).toBe("No kept trace is in this range");
    expect(why.sentences[0]).toContain("2 of 200 traces were kept since the start.");
  });
});

describe("the variables of an SDK", () => {
  const at = (address: string, tls = false): Endpoint => ({
    receiver: "otlp",
    protocol: "http",
    address,
    tls,
  });
  it.each([
    [at("127.0.0.1:4318"), "http://127.0.0.1:4318"],
    [at("0.0.0.0:4318"), "http://gateway.example.com:4318"],
    [at("[::]:4318", true), "https://gateway.example.com:4318"],
    [at("[::1]:4318"), "http://[::1]:4318"],
  ])("%o", (endpoint, url) => {
    expect(variables(endpoint, "gateway.example.com")).toBe(
      `OTEL_EXPORTER_OTLP_ENDPOINT=${url}\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`,
    );
  });
});
