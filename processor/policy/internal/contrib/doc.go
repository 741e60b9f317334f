// Package contrib has the rules of compat contrib.
//
// With Options.Contrib policies decide as those of contrib's processor 0.161 do, and so keep the same traces of the same
// spans. The differences from the policies' documentation, by type:
//
//   - and, drop, composite: sub-policies are asked in turn, up to the first that says no, and a limit is charged once it
//     is asked, even if a later one then says no.
//   - probabilistic: a hash of the trace ID decides, not W3C randomness.
//   - rate_limiting, bytes_limiting: a trace passes if the token bucket has its whole cost, and never if it is larger.
//   - composite: policy_order is not read, and a limit is what is left of a second.
//   - latency: the bounds are put to the spans that have come, after each, in milliseconds rounded down. Once they held the
//     trace is kept, so that upper_threshold_ms depends on the order of spans.
//   - numeric_attribute: a bound of 0 is none, and a value that is no integer counts as 0.
//   - boolean_attribute: a value that is no boolean counts as false.
//   - string_attribute: an empty value never matches as it is; an expression that matches it does so for values of a
//     resource that are empty or no strings, not for a span's.
//   - trace_state: a tracestate that is malformed anywhere matches nothing.
//
// A hash and a bucket do not depend on a trace's randomness, so decisions by them are Weightless.
package contrib
