// A service of one span, as an SDK's documentation has it:
//   node --require @opentelemetry/auto-instrumentations-node/register app.js
const { trace } = require("@opentelemetry/api");

trace.getTracer("shop").startActiveSpan("checkout", (span) => span.end());
