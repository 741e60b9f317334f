// Package tracestate reads and writes what OpenTelemetry's probability sampling keeps in a span's W3C tracestate: the
// rejection threshold ot=th and the explicit randomness ot=rv, both 56-bit numbers.
//
// Parse returns them as Values; Resolve and AdjustedCountOf answer the two questions that readers have; Update writes a
// sampling decision. Everything but Update works in place and allocates nothing, on strings and on bytes.
//
// # Rules
//
// A span with randomness R passes a threshold T where R >= T, which has probability 1 − T/2^56; it then stands for
// 1/probability spans, its adjusted count. R is the span's rv, else the low 56 bits of its trace ID.
//
// Spans of one trace share one R, because rv travels with the context. Where something on the way lost the tracestate,
// or broke it, they may not. A trace's randomness is therefore the least explicit rv among its spans, and the trace ID's
// where no span has one: it does not depend on the order of the spans, and what it passes every rv among them passes
// too. Keep the minimum of Parse(…).Randomness, which is None where there is no rv, and Resolve it. Update gives spans
// that have no rv the trace's, as the specification asks of a stage whose randomness was explicit; without it their th
// would be compared with a trace ID that had no say in the decision.
//
// # What is malformed
//
// Values that do not parse are treated as absent: a th that is not 1 to 14 hex digits, an rv that is not exactly 14.
// Of a th or rv that is there twice the last counts, of an ot entry that is there twice the first. A th that the span's
// randomness does not pass is inconsistent, so its weight is unknown; it counts as absent too. Hex digits in upper case
// are read, though the specification asks for lower case; Update writes lower case.
//
// References: W3C Trace Context, section 3.3; OpenTelemetry specification, "TraceState Handling" and "TraceState:
// Probability Sampling".
package tracestate
