// Package whole has the policies that look at a trace as a whole: at how long and how large it is, at its randomness, or at how
// its spans hang together. They know nothing of other traces.
//
// A type is a file: a Config, which is the section of that name, and its Compile. Durations are in nanoseconds.
package whole
