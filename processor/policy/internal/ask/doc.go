// Package ask collects the questions of a set's policies about spans, and answers them: each distinct question is a bit of the
// trace, which is set once some span or its resource has met the predicate.
//
//   - Builder is used while policies are compiled. It gives each question its bit and each observer its words.
//   - Questions is what it builds. It looks at one span at a time and does not change, so that it has no lock.
//
// Bits are never cleared. An Observer that needs more has words of the trace for its exclusive use. So neither the order of
// spans nor seeing one twice matters.
package ask
