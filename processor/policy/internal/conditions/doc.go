// Package conditions has the policy ottl_condition: conditions in the OpenTelemetry Transformation Language (OTTL), evaluated
// on encoded spans.
//
//   - Builder parses conditions while policies are compiled.
//   - Set evaluates them: Begin, for a span, gives a Context into which the caller puts the values of the attributes that
//     conditions read, and End evaluates them. Resource evaluates those that read nothing but the resource.
//   - A condition is parsed twice: by OTTL's own parser, which says what is valid and evaluates on the decoded span, and for
//     Context, which reads paths in place. A span is decoded only if a condition needs a part that cannot be read in place.
//   - A condition whose inputs repeat remembers its results (package memo).
//
// Contexts are pooled; there are no other locks.
package conditions
