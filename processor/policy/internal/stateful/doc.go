// Package stateful has the policies that depend on earlier traces: those with a rate or a period.
//
// A type is a file: a Config, which is the section of that name, and its Compile. Package rates does their arithmetic; a
// traceKey distinguishes traces, see KeyConfig.
//
// Match, Count, Kept, Key and Inherit are called with the lock of the set's state. Observers are called without it: a
// traceKey writes only to words of the trace and to its keyTexts, which have a lock of their own, and diversity reads
// rates.Coverage.StaysCovered, which needs none.
package stateful
