// A service with one span, run as in the SDK's documentation:
//   node --require @opentelemetry/auto-instrumentations-node/register app.js
const { trace } = require("@opentelemetry/api");

trace.getTracer("shop").startActiveSpan("checkout", (span) => span.end());
