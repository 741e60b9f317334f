// The JSON that the gateway serves. web/api/openapi.yaml describes it, and `npm run contract` makes contract.gen.ts from that:
// what the two do not agree about does not compile.

export type * from "./contract.gen";
