// Package ask collects what the policies of a set ask of spans, and answers it: each distinct question is a bit of the
// trace, which is set once some span or its resource met the predicate.
//
//   - Builder is used while policies are compiled. It gives each question its bit and each observer its words.
//   - Questions is what it builds. It looks at one span at a time and does not change, so that it has no lock.
//
// A bit is only ever set. Where that is not enough an Observer has words of the trace's to itself. So neither the order of
// spans matters nor seeing one twice.
package ask
