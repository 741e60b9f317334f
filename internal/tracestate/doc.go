// Package tracestate reads and writes the values of OpenTelemetry's probability sampling in a span's W3C tracestate: the
// rejection threshold ot=th and the explicit randomness ot=rv, both 56-bit numbers.
//
// Parse returns them as Values; Resolve returns the randomness by which a span was decided, AdjustedCountOf the number of spans
// it stands for, and Update writes a sampling decision. All but Update work in place, on strings and on bytes, and allocate
// nothing; Update allocates if the tracestate changes.
//
// # Rules
//
// A span with randomness R passes a threshold T where R >= T, which has probability 1 − T/2^56; it then stands for
// 1/probability spans, its adjusted count. R is the span's rv, else the low 56 bits of its trace ID.
//
// Spans of one trace share one R, because rv travels with the context, unless something on the way lost or broke the
// tracestate. A trace's randomness is therefore the least explicit rv among its spans, or that of the trace ID where no span
// has one. It does not depend on the order of the spans, and a threshold that it passes every rv among them passes. To find
// it keep the minimum of Parse(…).Randomness, where None is the highest, and call Resolve. Update gives the trace's rv to spans that
// have none, as the specification asks of a stage whose randomness was explicit: otherwise their th would be compared with
// the trace ID, which had no say in the decision.
//
// # What is malformed
//
// A th that is not 1 to 14 hex digits, and an rv that is not exactly 14, are treated as absent. Of several th or rv in one entry
// the last counts, malformed or not; of several ot entries the first. Upper-case digits are read, though the specification
// asks for lower case; Update writes lower case.
//
// A th that the span's randomness does not pass is inconsistent, and its weight unknown. AdjustedCountOf and Update treat it as
// absent; Parse, which does not know the trace ID, returns it as it is.
//
// References: W3C Trace Context, section 3.3; OpenTelemetry specification, "TraceState Handling" and "TraceState:
// Probability Sampling".
package tracestate
