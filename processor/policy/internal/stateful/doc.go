// Package stateful has the policies that know of the traces before: those with a rate or a period.
//
// A type is a file: a Config, which is the section of that name, and its Compile. What they count and how is in package
// rates; what they tell traces apart by is a traceKey, see KeyConfig.
//
// Match, Count, Kept, Key and Inherit are called with the lock of the set's state held. What observes spans is not: a
// traceKey writes to words of the trace's alone and to its keyTexts, which have a lock of their own, and diversity looks at
// rates.Coverage.Lasts, which needs none.
package stateful
